// Make the calls that standard input names, and print the replies.
import { caller } from "./caller.mjs";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { url, calls } = JSON.parse(Buffer.concat(chunks));
const call = await caller(url);
const replies = [];
for (const one of calls) replies.push(await call(one.method, one.request, one.passport));
console.log(JSON.stringify(replies));
process.exit(0);
