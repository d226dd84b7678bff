// Subscribes to a gateway with npm `graphql-ws` or `graphql-sse`, as an application would.
//
//   node client.mjs ws|sse http://127.0.0.1:4000/graphql KEY
//
// Orders come as lines of JSON on standard input:
//   { "subscribe": "id", "query": "…", "variables": {} }   subscribes
// With "cutEvery": 10 it breaks the connection off without a goodbye after each ten answers, and subscribes again with the
// last cursor it heard as the variable `after`. It counts itself: an order to cut would race with what is heard. What is heard is
// printed as lines of JSON: { "id", "next" }, { "id", "failed" }, { "id", "complete" }, and for a socket that the gateway
// closed { "closed": { "code", "reason" } }. It ends when standard input does.

import { createInterface } from "node:readline";
import { createClient as createSse } from "graphql-sse";
import { createClient as createWs } from "graphql-ws";
import WebSocket from "ws";

const [transport, url, key] = process.argv.slice(2);
const authorization = `Bearer ${key}`;
const say = (line) => console.log(JSON.stringify(line));

function overWebSocket() {
  let socket;
  const client = createWs({
    url: url.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    retryAttempts: 0,
    on: {
      opened: (opened) => (socket = opened),
      closed: (event) => say({ closed: { code: event.code, reason: String(event.reason) } }),
    },
  });
  return { subscribe: (payload, sink) => client.subscribe(payload, sink), cut: () => socket.terminate() };
}

function overServerSentEvents() {
  const client = createSse({ url, headers: { authorization }, retryAttempts: 0 });
  return { subscribe: (payload, sink) => client.subscribe(payload, sink), cut: (dispose) => dispose() };
}

const client = transport === "ws" ? overWebSocket() : overServerSentEvents();

function subscribe({ subscribe: id, query, variables = {}, cutEvery }) {
  const state = { variables, heard: 0, isCut: false };
  const again = () => subscribe({ subscribe: id, query, variables: state.variables, cutEvery });
  const dispose = client.subscribe(
    { query, variables },
    {
      next: (answer) => {
        const cursor = answer.data?.events?.cursor;
        // What comes after the cut was not heard.
        if (state.isCut) return;
        if (cursor) state.variables = { ...state.variables, after: cursor };
        say({ id, next: answer });
        state.heard += 1;
        if (state.heard === cutEvery) {
          state.isCut = true;
          client.cut(dispose);
        }
      },
      error: (error) => (state.isCut ? again() : say({ id, failed: describe(error) })),
      complete: () => (state.isCut ? again() : say({ id, complete: true })),
    },
  );
}

function describe(error) {
  return Array.isArray(error) ? error : { code: error.code, message: String(error.message ?? error.reason ?? error) };
}

const orders = createInterface({ input: process.stdin });
orders.on("line", (line) => subscribe(JSON.parse(line)));
orders.on("close", () => process.exit(0));
