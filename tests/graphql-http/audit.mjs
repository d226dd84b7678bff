// Runs every audit of npm `graphql-http` against the URL given as the only argument.
// Prints each audit that is not passed and the sum; exits with 1 unless all are passed.

import { serverAudits } from "graphql-http";

const AUDIT_DEADLINE_MS = 10_000;

const url = process.argv[2];
if (!url) {
  console.error("usage: node audit.mjs http://127.0.0.1:4000/graphql");
  process.exit(2);
}

const audits = serverAudits({
  url,
  fetchFn: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(AUDIT_DEADLINE_MS) }),
});

let passed = 0;
for (const audit of audits) {
  // An audit that throws, because nothing listens for example, is not passed either.
  const result = await audit.fn().catch((error) => ({ status: "error", reason: String(error) }));
  if (result.status === "ok") {
    passed += 1;
  } else {
    console.log(`${result.status} ${audit.id} ${audit.name}: ${result.reason}`);
  }
}
console.log(`${passed} of ${audits.length}`);
process.exit(passed === audits.length ? 0 : 1);
