// A tour of the API with the client that is generated from its OpenAPI document: it compiles only if the document is true, and runs only if the API is.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./generated/api.js";

const baseUrl = process.argv[2];
assert.ok(baseUrl, "usage: node tour.js URL");

let accessToken = "";
const bearer: Middleware = {
  onRequest({ request }) {
    if (accessToken) request.headers.set("Authorization", `Bearer ${accessToken}`);
    return request;
  },
};
const api = createClient<paths>({ baseUrl });
api.use(bearer);

/** The data of an answer, or the problem as an error. */
function ok<T>(step: string, answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.error !== undefined || !answer.response.ok) {
    throw new Error(`${step}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
  }
  console.log(`ok  ${step}`);
  return answer.data as T;
}

const ifMatch = (version: number) => ({ "If-Match": `"${version}"` });

// People
const email = `tour-${randomUUID()}@example.com`;
const password = "seven blue elephants";
const tokens = ok("sign up", await api.POST("/v1/auth/sign-up", { body: { email, password, organizationName: "Tour" } }));
accessToken = tokens.accessToken;
const again = ok("sign in", await api.POST("/v1/auth/login", { body: { email, password } }));
const refreshed = ok("refresh", await api.POST("/v1/auth/refresh", { body: { refreshToken: again.refreshToken } }));
accessToken = refreshed.accessToken;
const organization = ok("read the organization", await api.GET("/v1/organization"));
const invitation = ok("invite", await api.POST("/v1/invitations", { body: { email: `guest-${randomUUID()}@example.com`, role: "member" } }));
assert.equal(invitation.role, "member");

// Configuration, with optimistic concurrency
const persona = ok("create a persona", await api.POST("/v1/personas", { body: { name: "Mira", tone: "friendly" } }));
const changed = ok("change it", await api.PATCH("/v1/personas/{id}", {
  params: { path: { id: persona.id }, header: ifMatch(persona.version) }, body: { greeting: "Ahoy!" } }));
assert.equal(changed.greeting, "Ahoy!");
const stale = await api.PATCH("/v1/personas/{id}", {
  params: { path: { id: persona.id }, header: ifMatch(persona.version) }, body: { greeting: "Late" } });
assert.equal(stale.response.status, 412);
assert.equal(stale.error?.currentVersion, changed.version);
console.log("ok  a stale change is refused with the current version");

const agent = ok("create an agent", await api.POST("/v1/agents", { body: { name: "Front desk", personaId: persona.id, status: "active" } }));
const key = randomUUID();
const article = { title: "Prices", content: "A kayak costs 40 dollars for half a day.", isPublished: true };
const first = ok("write an article", await api.POST("/v1/knowledge-articles", { params: { header: { "Idempotency-Key": key } }, body: article }));
const second = ok("write it again with the same key", await api.POST("/v1/knowledge-articles", { params: { header: { "Idempotency-Key": key } }, body: article }));
assert.equal(second.id, first.id);
const channel = ok("connect a channel", await api.POST("/v1/channels", { body: { name: "Line", platform: "whatsapp", platformChannelId: "106540352242922", agentId: agent.id,
  credentials: { appSecret: "app secret", verifyToken: "my word", accessToken: "token" } } }));

// CRM: pages, filters, many at once, what a deletion takes along
for (let number = 0; number < 5; number++) {
  ok(`create client ${number}`, await api.POST("/v1/clients", { body: { firstName: `Client ${number}`, phone: `+1555000${1000 + number}`, tags: ["tour"] } }));
}
const ids: string[] = [];
let cursor: string | undefined;
do {
  const page = ok("a page of clients", await api.GET("/v1/clients", { params: { query: { limit: 2, sort: "createdAt", cursor } } }));
  ids.push(...page.items.map((client) => client.id));
  cursor = page.nextCursor ?? undefined;
} while (cursor);
assert.equal(new Set(ids).size, 5);
const bulk = ok("qualify them all", await api.POST("/v1/clients/bulk-update", { body: { ids, change: { status: "qualified" } } }));
assert.equal(bulk.changed, 5);
const qualified = ok("filter them", await api.GET("/v1/clients", { params: { query: { status: ["qualified"] } } }));
assert.equal(qualified.items.length, 5);
const deal = ok("open a deal", await api.POST("/v1/deals", { body: { name: "Weekend", clientId: ids[0]!, dealValue: 400 } }));
const told = ok("what would go with the client", await api.DELETE("/v1/clients/{id}", { params: { path: { id: ids[0]! }, query: { dryRun: true } } }));
assert.ok(told!.effects.some((effect) => effect.resource === "deals"));
ok("the deal is still there", await api.GET("/v1/deals/{id}", { params: { path: { id: deal.id } } }));

// Problems name the field
const wrong = await api.POST("/v1/clients", { body: { phone: "not a number" } });
assert.equal(wrong.response.status, 400);
assert.equal(wrong.error?.errors?.[0]?.field, "/phone");
console.log("ok  a wrong field is named");

// Conversations
const conversations = ok("the inbox", await api.GET("/v1/conversations", { params: { query: { channelId: [channel.id] } } }));
assert.equal(conversations.items.length, 0);
const log = ok("the audit log", await api.GET("/v1/activity-logs", { params: { query: { limit: 100 } } }));
assert.ok(log.items.some((entry) => entry.entityId === persona.id));
ok("sign out", await api.POST("/v1/auth/logout"));
console.log(`the tour of ${organization.name} is complete`);
