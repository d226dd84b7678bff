// Writes GraphiQL as one page, compressed, and the policy the page is served with.
// usage: node render.mjs PAGE_FILE POLICY_FILE

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { renderGraphiQL } from "@graphql-yoga/render-graphiql";

// Quality 11 takes ten times as long and saves a twelfth.
const BROTLI_QUALITY = 9;
const BROTLI_WINDOW_BITS = 24;

const [pageFile, policyFile] = process.argv.slice(2);

// The package writes its options into the page as they are here. The gateway's settings are known at run
// time only, so their place is marked and the call that uses them waits for the settings to be fetched: as
// JSON, which unlike a script no page of another origin can read.
// The empty icon keeps the package's own out.
const options = { title: "Banyan", favicon: "data:,", place: "of the settings" };
const rendered = renderGraphiQL(options).trim();
const call = /YogaGraphiQL\.renderYogaGraphiQL\(\s*window\.document\.querySelector\('#root'\),\s*(\{[^{}]*\}),?\s*\);/g;
const calls = [...rendered.matchAll(call)].filter((match) => match[1] === JSON.stringify(options));
if (calls.length !== 1) {
  throw new Error(`expected one place for the settings, found ${calls.length}`);
}
const [{ 0: text, index }] = calls;
const withSettings = `
        fetch("/graphiql/settings.json")
          .then((answer) => answer.json())
          .then((settings) => YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), settings))
          .catch((error) => (document.querySelector("#root").textContent = "GraphiQL could not start: " + error));`;
const page = rendered.slice(0, index) + withSettings + rendered.slice(index + text.length);

const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1]);
if (scripts.length !== 1) {
  throw new Error(`expected one script, found ${scripts.length}`);
}
const hash = createHash("sha256").update(scripts[0]).digest("base64");
const policy = [
  "default-src 'none'",
  `script-src 'sha256-${hash}'`,
  "style-src 'unsafe-inline'",
  "img-src data:",
  "font-src data:",
  "connect-src 'self'",
  "worker-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

writeFileSync(policyFile, policy);
writeFileSync(
  pageFile,
  brotliCompressSync(page, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(page),
    },
  }),
);
