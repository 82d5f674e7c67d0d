// A certified OpenID provider, npm's oidc-provider, in the place of Globus: its
// endpoints are at Globus Auth's paths, ID tokens are signed with RS512, and token
// answers have what Globus adds to OAuth, resource_server and other_tokens. All
// else is as the provider does it. Refresh tokens are rotated: one that is used
// twice ends the grant.
//
//   node provider.mjs '{"port": …, "client_id": …, "client_secret": …, "redirect_uri": …}'
//
// It obeys the lines "down", "up", "rotate" and "state" on its standard input,
// answers each with a line of JSON, and ends with its input.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

// All that oidc-provider 9 needs of Node 22 is this function, which Node 20 lacks.
URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null);
console.info = console.error; // what it has to say is not an answer

const { Provider } = await import('oidc-provider');
const { createMemoryAdapter } = await import('oidc-provider/lib/adapters/memory_adapter.js');

const options = {
  iss: true, // answers of the authorization endpoint have it (RFC 9207)
  id_token_claims: false, // what the scopes ask for is in the ID token too, not only in userinfo
  lifetime: 3600, // seconds of an access token
  ...JSON.parse(process.argv[2]),
};
const issuer = `http://127.0.0.1:${options.port}`;

const transferServer = 'transfer.api.globus.org';
const transferScope = 'urn:globus:auth:scope:transfer.api.globus.org:all';
const transfer = { // as a resource of RFC 8707
  indicator: 'urn:globus:transfer',
  info: { audience: transferServer, scope: transferScope, accessTokenFormat: 'opaque' },
};

const people = {
  rosalind: {
    sub: '7a1c2e40-3b5d-4f6e-8a90-1920072501aa', name: 'Rosalind Franklin', email: 'rosalind@example.edu',
    preferred_username: 'rosalind@example.edu', organization: 'Example University',
    identity_provider: 'b16b00b5-0000-4000-8000-000000000001', identity_provider_display_name: 'Example University',
    last_authentication: 1795867200,
  },
  gosling: { sub: '7a1c2e40-3b5d-4f6e-8a90-1926071501aa' }, // and that is all
};
const personOf = (sub) => Object.values(people).find((person) => person.sub === sub);

// What is kept when the keys are rotated, and what state reports.
const adapter = createMemoryAdapter();
const cookieKeys = [randomUUID()];
const issued = new Map(); // the kind of each token, by its value
const errors = [];
let rotated = 0;
let provider = newProvider();

function newProvider() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p = new Provider(issuer, {
    adapter,
    clients: [{
      client_id: options.client_id,
      client_secret: options.client_secret,
      client_name: 'Test portal',
      redirect_uris: [options.redirect_uri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: 'RS512',
    }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS512' }] },
    enabledJWA: { idTokenSigningAlgValues: ['RS512'] },
    cookies: { keys: cookieKeys },
    routes: {
      authorization: '/v2/oauth2/authorize',
      token: '/v2/oauth2/token',
      userinfo: '/v2/oauth2/userinfo',
      introspection: '/v2/oauth2/token/introspect',
      revocation: '/v2/oauth2/token/revoke',
      jwks: '/jwk.json',
      end_session: '/v2/web/logout',
    },
    claims: {
      openid: ['sub', 'last_authentication'],
      email: ['email'],
      profile: ['name', 'preferred_username', 'organization', 'identity_provider', 'identity_provider_display_name'],
    },
    conformIdTokenClaims: !options.id_token_claims,
    findAccount: (_, sub) => personOf(sub) && { accountId: sub, claims: () => personOf(sub) },
    extraParams: ['access_type'],
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    pkce: { required: () => true },
    ttl: {
      AccessToken: options.lifetime, IdToken: 3600, RefreshToken: 86400, AuthorizationCode: 60, Grant: 86400, Interaction: 600, Session: 3600,
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: { enabled: true, defaultResource: () => transfer.indicator, getResourceServerInfo: () => transfer.info },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => { ctx.body = page('Sign out?', `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`); },
        postLogoutSuccessSource: (ctx) => { ctx.body = page('You are signed out', '<p id="forgotten">The provider has forgotten you.</p>'); },
      },
    },
  });
  p.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === 'token' && ctx.status === 200) await asGlobusAnswers(ctx);
    const to = ctx.response.get('Location');
    if (!options.iss && to?.startsWith(options.redirect_uri)) {
      const back = new URL(to);
      back.searchParams.delete('iss');
      ctx.set('Location', back.href);
    }
  });
  p.on('access_token.saved', (token) => issued.set(token.jti, 'AccessToken'));
  p.on('refresh_token.saved', (token) => issued.set(token.jti, 'RefreshToken'));
  p.on('refresh_token.consumed', () => { rotated += 1; });
  for (const endpoint of ['authorization', 'grant', 'userinfo', 'introspection', 'revocation', 'jwks', 'discovery', 'end_session']) {
    p.on(`${endpoint}.error`, (_, err) => errors.push(`${endpoint}: ${err.error}: ${err.error_detail ?? err.error_description}`));
  }
  p.on('server_error', (_, err) => { errors.push(`server: ${err}`); console.error(err); });
  return p;
}

// asGlobusAnswers adds to a token answer the name of its resource server, and a
// token for each other resource server that a scope belongs to.
async function asGlobusAnswers(ctx) {
  const { AccessToken: top, AuthorizationCode: code, Client: client } = ctx.oidc.entities;
  ctx.body.resource_server = top.aud ?? 'auth.globus.org';
  ctx.body.other_tokens = [];
  if (!code?.scopes.has(transferScope)) return;
  // A grant of its own: who revokes one token has not revoked the others.
  const grant = new provider.Grant({ accountId: code.accountId, clientId: client.clientId });
  grant.addResourceScope(transfer.indicator, transferScope);
  const token = { accountId: code.accountId, client, grantId: await grant.save(), gty: 'authorization_code', scope: transferScope };
  const access = new provider.AccessToken({ ...token, resourceServer: new provider.ResourceServer(transfer.indicator, transfer.info) });
  const refresh = new provider.RefreshToken({ ...token, resource: transfer.indicator, rotations: 0 });
  ctx.body.other_tokens.push({
    access_token: await access.save(),
    refresh_token: await refresh.save(),
    expires_in: access.expiration,
    token_type: 'Bearer',
    scope: transferScope,
    resource_server: transferServer,
  });
}

// interact is the page where a person signs in and consents, or refuses. Its form
// has the fields of that of globus/globustest.
async function interact(req, res) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
  if (req.method === 'GET') {
    const choices = prompt.name === 'login'
      ? Object.keys(people).map((key) => `<button name="person" value="${key}">${key}</button>`).join('')
      : '<button name="allow" value="1">Allow</button>';
    res.setHeader('Content-Type', 'text/html; charset=utf-8');
    res.end(page('Sign in', `<form method="post">${choices}<button name="deny" value="1">Refuse</button></form>`));
    return;
  }
  let body = '';
  for await (const chunk of req) body += chunk;
  const form = new URLSearchParams(body);
  if (form.has('deny')) {
    await provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'The person refused' });
    return;
  }
  const accountId = people[form.get('person')]?.sub ?? session.accountId;
  let grant = grantId && await provider.Grant.find(grantId);
  if (grant?.accountId !== accountId) grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  grant.addResourceScope(transfer.indicator, params.scope);
  await provider.interactionFinished(req, res, { login: { accountId }, consent: { grantId: await grant.save() } });
}

function page(title, body) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,"></head><body><h1>${title}</h1>${body}</body></html>`;
}

// listTasks is what of Globus Transfer the home page asks for. Only a token for
// Transfer opens it.
async function listTasks(req, res) {
  const token = await provider.AccessToken.find(req.headers.authorization?.replace(/^Bearer /, '') ?? '');
  const accepted = token?.aud === transferServer && token.scopes.has(transferScope);
  res.writeHead(accepted ? 200 : 401, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(accepted ? {
    DATA_TYPE: 'task_list', length: 1, limit: 10, offset: 0, total: 1,
    DATA: [{
      task_id: '5ca1ab1e-0000-4000-8000-000000000001', type: 'TRANSFER', status: 'SUCCEEDED', label: 'Photo 51',
      request_time: '1952-05-06T10:00:00+00:00', completion_time: '1952-05-08T00:00:00+00:00', files: 1, bytes_transferred: 51,
      source_endpoint_display_name: 'King\'s', destination_endpoint_display_name: 'Birkbeck',
    }],
  } : { code: 'AuthenticationFailed', message: 'Token is not valid', request_id: 'none', resource: req.url }));
}

const server = createServer((req, res) => {
  const { pathname } = new URL(req.url, issuer);
  let answer = provider.callback();
  if (pathname.startsWith('/interaction/')) answer = interact;
  if (pathname === '/v0.10/task_list') answer = listTasks;
  answer(req, res).catch((err) => {
    errors.push(`${pathname}: ${err}`);
    res.writeHead(500).end();
  });
});

server.keepAliveTimeout = 60_000; // longer than the app keeps a connection idle

async function up() {
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
}

const commands = {
  up,
  async down() {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  },
  rotate() { provider = newProvider(); },
  state() {},
};

async function state() {
  const live = { AccessToken: 0, RefreshToken: 0 };
  for (const [value, kind] of issued) {
    const token = await provider[kind].find(value);
    if (token && !token.consumed) live[kind] += 1;
  }
  return { access_tokens: live.AccessToken, refresh_tokens: live.RefreshToken, rotated, errors };
}

await up();
console.log(JSON.stringify(await state()));
for await (const line of createInterface({ input: process.stdin })) {
  await commands[line]();
  console.log(JSON.stringify(await state()));
}
process.exit();
