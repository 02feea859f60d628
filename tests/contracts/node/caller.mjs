import { randomUUID } from "node:crypto";
import { connect } from "amqplib";

export async function caller(url) {
  const channel = await (await connect(url)).createChannel(), waiting = new Map(), replyTo = randomUUID();
  const queue = `rpc.reply-${new URL(url).username}-${replyTo}`;
  await channel.assertQueue(queue, { arguments: { "x-expires": 300000 } });
  await channel.bindQueue(queue, "clp-replies", replyTo);
  await channel.consume(queue, (m) => waiting.get(m.properties.correlationId)?.(JSON.parse(m.content)), { noAck: true });
  return (method, kwargs, passport) => new Promise((resolve) => {
    const correlationId = randomUUID(), headers = { "nameko.auth_token": passport };
    waiting.set(correlationId, resolve);
    channel.publish("nameko-rpc", method, Buffer.from(JSON.stringify({ args: [], kwargs })),
      { contentType: "application/json", contentEncoding: "utf-8", replyTo, correlationId, headers });
  });
}
