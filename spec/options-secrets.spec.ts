import { inspect } from 'node:util';
import type { InvalidOptionError } from '../lib/errors.js';
import { refusal } from './options-refusal.js';

/** All that may reach a log. */
const shownOf = (error: InvalidOptionError): string =>
  [
    error.message,
    String(error),
    JSON.stringify(error),
    JSON.stringify(Object.entries(error)),
    inspect(error),
    inspect(error.value, { depth: null }),
    inspect(Object.entries(error), { depth: null }),
    error.stack,
  ].join('\n');

describe('credentials in a URL are refused and never shown', () => {
  const secret = 'hush-hush';
  test.each<[string, unknown[]]>([
    ['user and password', [`http://root:${secret}@host:2379`]],
    ['user alone', [`http://${secret}@host:2379`]],
    ['without a scheme', [`root:${secret}@host:2379`]],
    ['in a list', [['a:1', `http://root:${secret}@host`]]],
    ['among options', [{ endpoints: `http://root:${secret}@host` }]],
    ['with an @ in the password', [`http://root:${secret}@@host`]],
    ['in a URL that is wrong besides', [`http://root:${secret}@host:port/path`]],
    ['in a joined list', [`http://root:${secret}@a,http://root:${secret}@b`]],
    ['in a foreign scheme', [`ftp://root:${secret}@host`]],
    ['in endpoints of two places', ['a', { endpoints: `http://root:${secret}@host` }]],
    ['in a nested list', [[[`http://root:${secret}@host`]]]],
    ['in a URL object', [{ endpoints: new URL(`http://root:${secret}@host`) }]],
    ['in a list of URL objects', [[new URL(`http://root:${secret}@host`)]]],
    ['in objects that name a URL', [[{ url: `http://root:${secret}@host` }]]],
  ])('%s', (_, [first, rest]) => {
    const error = refusal(first, rest);
    expect(error.option).toMatch(/^endpoints/);
    expect(shownOf(error)).not.toContain(secret);
  });
});

describe('secrets are never shown', () => {
  const secret = 'hush-hush';
  const auth = { username: 'root', password: secret };
  test.each<[string, unknown[]]>([
    ['a password of the wrong type', [{ auth: { username: 'root', password: [secret] } }]],
    ['auth as text', [{ auth: `root:${secret}` }]],
    ['auth as a list', [{ auth: ['root', secret] }]],
    ['a password without a user', [{ auth: { password: secret } }]],
    ['a misspelt password', [{ auth: { username: 'root', passwort: secret } }]],
    ['a password by another name', [{ auth: { username: 'root', pwd: secret } }]],
    ['a password by a short name', [{ auth: { user: 'root', pw: secret } }]],
    ['a username with a password in it', [{ auth: { username: `root:${secret}`, password: 'x' } }]],
    ['misspelt auth', [{ Auth: auth }]],
    ['credentials by another name', [{ login: auth }]],
    ['a password at the top', [{ password: secret }]],
    ['tls as text', [{ tls: secret }]],
    ['at the top by a short name', [{ pw: secret }]],
    ['at the top by no name', [{ x: secret }]],
    ['in the query of an endpoint', [`http://host:2379/?token=${secret}`]],
    ['behind its hash, in a list', [['a', `http://host:2379/#access_token=${secret}`]]],
    ['misspelt tls', [{ ssl: { key: secret, passphrase: secret } }]],
    ['a key of the wrong type', [{ tls: { key: { pem: secret } } }]],
    ['a ca of the wrong type', [{ tls: { ca: { pem: secret } } }]],
    ['a passphrase of the wrong type', [{ tls: { passphrase: [secret] } }]],
    ['an unknown TLS option', [{ tls: { pfx: secret } }]],
    ['an unknown TLS option of bytes', [{ tls: { pem: secret } }]],
    ['two options objects', [{}, { auth }]],
    ['options behind nothing', [undefined, { auth }]],
    ['options in a list', ['a', [{ auth }]]],
    ['wrong options elsewhere', [{ auth, tls: { key: secret }, timeout: -1 }]],
    ['wrong endpoints beside', [{ auth, tls: { key: secret }, endpoints: 'a b' }]],
    ['an axios configuration instead of an instance', [{ axios: { auth } }]],
    ['options where endpoints belong', [[{ auth }]]],
  ])('%s', (_, [first, rest]) => {
    expect(shownOf(refusal(first, rest))).not.toContain(secret);
  });
});
