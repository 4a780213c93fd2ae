// A certified OpenID provider on loopback, for the tests. It signs in whom it is told to, without
// asking: POST /-/person {accountId, claims}. Everything else is the protocol as it is.
import Provider from "oidc-provider";

const [redirectUri, port] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
let person = { accountId: "1", claims: {} };
const people = new Map();

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "windlass",
      client_secret: "s3cr3t + more/of:it",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  // What was asked for by scope goes into the id_token too.
  conformIdTokenClaims: false,
  cookies: { keys: ["a key of the tests"] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid email profile");
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  if (ctx.path === "/-/person") {
    let body = "";
    for await (const part of ctx.req) body += part;
    person = JSON.parse(body);
    people.set(person.accountId, person.claims);
    ctx.status = 204;
  } else if (ctx.path.startsWith("/interaction/")) {
    const result = person.refuses
      ? { error: "access_denied" }
      : { login: { accountId: person.accountId } };
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
    ctx.respond = false;
  } else {
    await next();
  }
});

const server = provider.listen(Number(port), "127.0.0.1", () => {
  console.log(JSON.stringify({ ready: server.address().port }));
});
