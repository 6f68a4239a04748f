// A walk in steps, each told as it is done; run by a Node.js that has the vendors' libraries.

import assert from "node:assert/strict";

export function step(what, found, expected) {
  assert.deepEqual(found, expected, `${what}: found ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  console.log(`  ${what}: ${JSON.stringify(found)}`);
}

// Throws unless the call is refused with this status, and this text in the answer.
export async function refused(what, call, status, told = "") {
  const error = await call().then(() => null, (caught) => caught);
  assert.ok(error, `${what}: not refused`);
  assert.ok(error.response, `${what}: no answer: ${error}`);
  const text = JSON.stringify(error.response.data ?? error.response.body);
  const found = error.response.status;
  assert.ok(found === status && text.includes(told), `${what}: refused with ${found}, not ${status} ${told}: ${text}`);
  console.log(`  ${what}: refused with ${status} ${told}`);
}

// What `look` finds at last; throws where it finds nothing a hundred times.
export async function awaited(what, look, milliseconds = 200) {
  for (let times = 0; times < 100; times += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
  throw new Error(`${what} did not end`);
}
