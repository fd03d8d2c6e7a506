// What a user could write by hand in Node: Fastify + undici, stateless, no journal.
import Fastify from "fastify";
import { FORGED, UNKNOWN, answerSchema, debit, proven, told } from "./scorpio.mjs";

const app = Fastify();

app.post("/scorpio", { schema: answerSchema }, async (request) => {
  const body = request.body;
  if (!proven(body, request.headers["x-request-signature"])) return FORGED;
  try {
    return told((await debit(body)).said);
  } catch {
    return UNKNOWN;
  }
});

await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
console.log("ready");
