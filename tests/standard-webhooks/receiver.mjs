// An HTTP server that verifies each webhook with npm `standardwebhooks` and answers what it was told to answer.
//
// It prints the port it listens on, then a line of JSON for each request: what came, whether it was genuine, and how it was
// answered. Orders come as lines of JSON on standard input and are confirmed with a line `ok`:
//   { "now": ms, "secrets": ["whsec_…"], "answers": [{ "status": 500, "headers": {}, "silent": false }] }
// `now` is the time the library believes it is, because the gateway under test has a clock of its own. When no answer is
// left it is 204. It ends when standard input does.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

let now = 0;
let secrets = [];
let answers = [];
Date.now = () => now;

function isGenuine(secret, body, headers) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    return String(error.message ?? error);
  }
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    const headers = Object.fromEntries(
      ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => [name, request.headers[name] ?? ""]),
    );
    const answer = answers.shift() ?? { status: 204 };
    console.log(
      JSON.stringify({
        id: headers["webhook-id"],
        signatures: headers["webhook-signature"].split(" ").length,
        type: JSON.parse(body).type,
        genuine: secrets.map((secret) => isGenuine(secret, body, headers)),
        altered: secrets.map((secret) => isGenuine(secret, body.replace("{", "{ "), headers)),
        answer,
      }),
    );
    if (answer.silent) return;
    response.writeHead(answer.status, answer.headers ?? {});
    response.end(answer.status === 204 ? undefined : `answered ${answer.status}`);
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
const orders = createInterface({ input: process.stdin });
orders.on("line", (line) => {
  const order = JSON.parse(line);
  now = order.now ?? now;
  secrets = order.secrets ?? secrets;
  answers.push(...(order.answers ?? []));
  console.log("ok");
});
orders.on("close", () => process.exit(0));
