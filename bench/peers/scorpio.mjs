// What both Node peers share: the proof, the translation, the wallet. No journal here.
import { createHmac, timingSafeEqual } from "node:crypto";
import fastJson from "fast-json-stringify";
import { Pool } from "undici";

const TOKEN = process.env.BENCH_TOKEN;
const WALLET = new Pool(process.env.BENCH_WALLET, { connections: 100 });
const TYPES = { "content-type": "application/json" };

// A round's id has 17 digits, more than a JavaScript number holds: a BigInt, written as an integer.
const debitText = fastJson({
  type: "object",
  properties: {
    token: { type: "string" },
    player_id: { type: "string" },
    amount: { type: "integer" },
    amount_type: { type: "string" },
    currency: { type: "string" },
    game_id: { type: "string" },
    game_name: { type: "string" },
    round_id: { type: "integer" },
    transaction_id: { type: "string" },
    game_ended: { type: "boolean" },
  },
});

export const answerSchema = {
  response: {
    200: { type: "object", properties: { balance: { type: "number" }, statusCode: { type: "string" } } },
  },
};

export const FORGED = { balance: 0, statusCode: "ERR_INTEGRITY_CHECK_FAILED" };
export const UNKNOWN = { balance: 0, statusCode: "ERR_UNKNOWN" };

// The signature is over the values, in the order of their names, joined by commas.
export function proven(body, signature) {
  const message = Object.keys(body).sort().map((name) => String(body[name])).join(",");
  const wanted = createHmac("sha512", TOKEN).update(message).digest();
  const given = Buffer.from(signature ?? "", "base64");
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

// The wallet's answer to this bet, as text and read. Throws where it did not answer.
export async function debit(body) {
  const said = debitText({
    token: body.playerId,
    player_id: body.playerId,
    amount: Math.round(body.amount * 100),
    amount_type: "real",
    currency: body.currency,
    game_id: body.gameCode,
    game_name: body.gameName,
    round_id: BigInt(body.roundId),
    transaction_id: body.transactionId,
    game_ended: body.isRoundFinished,
  });
  const answer = await WALLET.request({ path: "/debit", method: "POST", headers: TYPES, body: said });
  const text = await answer.body.text();
  return { text, said: JSON.parse(text) };
}

export function told(said) {
  return said.status === 1 ? { balance: said.balance / 100, statusCode: "OK" } : UNKNOWN;
}
