// The same with a journal: the intent is durable before the wallet is asked, the outcome before the
// provider hears it. better-sqlite3, WAL, synchronous=FULL; a repeat hears what the first one heard.
//
// GROUPED=1: calls that wait in the same turn of the loop share one commit, and so one fsync.
import Database from "better-sqlite3";
import Fastify from "fastify";
import { FORGED, UNKNOWN, answerSchema, debit, proven, told } from "./scorpio.mjs";

const db = new Database(process.argv[3]);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`CREATE TABLE IF NOT EXISTS movements (
  id TEXT PRIMARY KEY, player TEXT NOT NULL, intent TEXT NOT NULL, at INTEGER NOT NULL,
  state TEXT NOT NULL, outcome TEXT
) STRICT, WITHOUT ROWID`);
const intend = db.prepare(
  "INSERT INTO movements (id, player, intent, at, state) VALUES (?, ?, ?, ?, 'asking') ON CONFLICT (id) DO NOTHING",
);
const decide = db.prepare("UPDATE movements SET state = ?, outcome = ? WHERE id = ?");
const earlier = db.prepare("SELECT state, outcome FROM movements WHERE id = ?");

let waiting = [];
const commit = db.transaction((group) => group.map(([statement, values]) => statement.run(...values)));

function flush() {
  const group = waiting;
  waiting = [];
  try {
    commit(group).forEach((done, n) => group[n][2](done));
  } catch (error) {
    for (const each of group) each[3](error);
  }
}

// One commit each, or one for all that wait in this turn of the loop: durable when it has ended.
const durable = process.env.GROUPED
  ? (statement, values) =>
      new Promise((resolve, reject) => {
        if (waiting.push([statement, values, resolve, reject]) === 1) setImmediate(flush);
      })
  : (statement, values) => statement.run(...values);

const app = Fastify();

app.post("/scorpio", { schema: answerSchema }, async (request) => {
  const body = request.body;
  if (!proven(body, request.headers["x-request-signature"])) return FORGED;
  const id = body.transactionId;
  const opened = await durable(intend, [id, body.playerId, JSON.stringify(body), Date.now()]);
  if (opened.changes === 0) {
    const { state, outcome } = earlier.get(id);
    return state === "asking" || state === "doubt" ? UNKNOWN : told(JSON.parse(outcome));
  }
  try {
    const { text, said } = await debit(body);
    await durable(decide, [said.status === 1 ? "accepted" : "declined", text, id]);
    return told(said);
  } catch {
    await durable(decide, ["doubt", null, id]);
    return UNKNOWN;
  }
});

await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
console.log("ready");
