// Reads mails, one in base64 on each line, and says what it found in each, as JSON lines.
// The packages are found in the folder named by the first argument.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.argv[2]}/`));
const { default: PostalMime } = await import(
  pathToFileURL(require.resolve("postal-mime"))
);

for await (const line of createInterface({ input: process.stdin })) {
  const mail = await PostalMime.parse(Buffer.from(line, "base64"));
  const found = {
    to: mail.to,
    from: mail.from,
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
