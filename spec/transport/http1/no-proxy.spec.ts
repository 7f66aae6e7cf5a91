import { environmentProxy } from '../../../lib/transport/http1/environment-proxy.js';
import { isInNoProxy } from '../../../lib/transport/http1/no-proxy.js';
import { InvalidOptionError } from '../../../lib/errors.js';
import { setEnvironment } from '../../support/programs/environment.js';

const hostOf = (url: string): [string, string] => {
  const { hostname, port } = new URL(url);
  return [hostname, port];
};

describe('NO_PROXY', () => {
  test.each<[string, string, boolean]>([
    ['*', 'http://any.example:2379', true],
    ['etcd.example', 'http://etcd.example:2379', true],
    ['example', 'http://etcd.example:2379', true],
    ['.example', 'http://etcd.example:2379', true],
    ['.etcd.example', 'http://etcd.example:2379', true],
    ['*.example', 'http://a.b.example:2379', true],
    ['EXAMPLE.', 'http://etcd.example:2379', true],
    ['cd.example', 'http://etcd.example:2379', false],
    ['example:2379', 'http://etcd.example:2379', true],
    ['example:4001', 'http://etcd.example:2379', false],
    ['other, example', 'http://etcd.example:2379', true],
    ['10.0.0.1', 'http://10.0.0.1:2379', true],
    ['10.0.0.1:2379', 'http://10.0.0.1:2379', true],
    ['10.0.0.1:1', 'http://10.0.0.1:2379', false],
    ['0.0.1', 'http://10.0.0.1:2379', false],
    ['10.0.0.0/8', 'http://10.200.3.4:2379', true],
    ['10.0.0.0/8', 'http://11.0.0.1:2379', false],
    ['10.0.0.0/33', 'http://10.0.0.1:2379', false],
    ['10.0.0.0/x', 'http://10.0.0.1:2379', false],
    ['10.0.0.0/8', 'http://ten.example:2379', false],
    ['::1', 'http://[::1]:2379', true],
    ['[::1]', 'http://[::1]:2379', true],
    ['[::1]:2379', 'http://[::1]:2379', true],
    ['[::1]:1', 'http://[::1]:2379', false],
    ['0:0:0:0:0:0:0:1', 'http://[::1]:2379', true],
    ['fd00::/8', 'http://[fd12::7]:2379', true],
    ['fd00::/8', 'http://[fe80::7]:2379', false],
    ['', 'http://etcd.example:2379', false],
    [' , ', 'http://etcd.example:2379', false],
  ])('%p, %s: %p', (list, url, expected) => {
    expect(isInNoProxy(list, ...hostOf(url))).toBe(expected);
  });
});

describe('the proxy that the environment names', () => {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'];
  const cleared = Object.fromEntries(names.flatMap((n) => [n, n.toUpperCase()]).map((n) => [n, undefined]));
  let restore = (): void => undefined;
  const given = (variables: Record<string, string>): void => {
    restore = setEnvironment({ ...cleared, ...variables });
  };
  afterEach(() => {
    restore();
  });

  test.each<[string, Record<string, string>, string | undefined]>([
    ['none', {}, undefined],
    ['empty', { HTTPS_PROXY: ' ' }, undefined],
    ['a URL', { HTTPS_PROXY: 'http://proxy:3128' }, 'http://proxy:3128'],
    ['without a scheme', { HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128'],
    ['with a path', { HTTPS_PROXY: 'http://proxy:3128/some/path' }, 'http://proxy:3128'],
    ['TLS', { HTTPS_PROXY: 'https://proxy' }, 'https://proxy'],
    ['for everything', { ALL_PROXY: 'proxy:1' }, 'http://proxy:1'],
    ['for another scheme', { HTTP_PROXY: 'proxy:1' }, undefined],
    ['lower case first', { https_proxy: 'low:1', HTTPS_PROXY: 'high:1' }, 'http://low:1'],
    ['but not for this host', { HTTPS_PROXY: 'socks5://proxy:1', NO_PROXY: '.example' }, undefined],
  ])('%s', (_, variables, origin) => {
    given(variables);
    expect(environmentProxy('https://etcd.example:2379')?.origin).toBe(origin);
  });

  test.each<[string, object]>([
    ['http://user:p%40ss@proxy:1', { username: 'user', password: 'p@ss' }],
    ['user:word@proxy:1', { username: 'user', password: 'word' }],
    ['http://user@proxy:1', { username: 'user', password: '' }],
  ])('credentials of %s', (value, credentials) => {
    given({ HTTPS_PROXY: value });
    expect(environmentProxy('https://etcd.example')?.credentials).toEqual(credentials);
  });

  test.each([
    'socks5://user:hush@proxy:1',
    'http://user:hu%sh@proxy:1',
    'http://user:hush@pro xy:1',
    'http://:hush@',
  ])('%s is refused by the name of the variable', (value) => {
    given({ HTTPS_PROXY: value });
    const read = () => environmentProxy('https://etcd.example');
    expect(read).toThrow(InvalidOptionError);
    expect(read).toThrow(/environment variable HTTPS_PROXY: expected .*, got a value not shown/);
    expect(read).not.toThrow(/hush|hu%sh/);
  });
});
