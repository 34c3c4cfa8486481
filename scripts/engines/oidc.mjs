// An OIDC provider for tests: any name signs in, with any password, as whom PEOPLE says.
//   node oidc.mjs MODULES PORT CLIENT_SECRET REDIRECT_URI
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, port, secret, redirect] = process.argv.slice(2);
const found = createRequire(`${modules}/package.json`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(found));

const PEOPLE = {
  chan: { name: 'Chan Tai Man 陳大文', email: 'chan@example.org', locale: 'zh-HK', groups: ['vision-leads', 'staff'] },
  yip: { name: 'Yip Ka Yan', email: 'yip@example.org', groups: ['vision-leads'] },
  lam: { name: 'Lam Wai', email: 'lam@example.org', groups: ['walking-leads'] },
  ho: { name: 'Ho Siu Ming', email: 'ho@example.org', groups: ['harbour-operators'] },
  tsui: { name: 'Tsui Lai', email: 'tsui@example.org', groups: ['region-operators'] },
  wu: { name: 'Wu 吴', email: 'wu@example.org', locale: 'zh-CN', groups: ['vision-viewers'] },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'baygrid', client_secret: secret, redirect_uris: [redirect], grant_types: ['authorization_code'] }],
  claims: { openid: ['sub'], profile: ['name', 'locale'], email: ['email'], groups: ['groups'] },
  scopes: ['openid', 'profile', 'email', 'groups'],
  cookies: { keys: [secret] },
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...PEOPLE[id] }) }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
