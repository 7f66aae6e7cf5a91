import { resolveOptions } from '../lib/options.js';
import { refusal } from './options-refusal.js';

describe('endpoints', () => {
  test.each<[string | string[], string[]]>([
    ['localhost', ['http://localhost:2379']],
    ['localhost:4001', ['http://localhost:4001']],
    ['localhost:80', ['http://localhost']],
    ['localhost:80/', ['http://localhost']],
    ['localhost:443', ['http://localhost:443']],
    ['localhost:2379/', ['http://localhost:2379']],
    ['LOCALHOST:2379', ['http://localhost:2379']],
    ['http://localhost:2379', ['http://localhost:2379']],
    ['http://localhost:2379/', ['http://localhost:2379']],
    ['HTTP://Host:1', ['http://host:1']],
    ['https://etcd.example.com', ['https://etcd.example.com']],
    ['https://etcd.example.com:2379', ['https://etcd.example.com:2379']],
    ['10.0.0.1', ['http://10.0.0.1:2379']],
    ['10.0.0.1:4001', ['http://10.0.0.1:4001']],
    ['[::1]', ['http://[::1]:2379']],
    ['[::1]:4001', ['http://[::1]:4001']],
    ['[2001:DB8::80]', ['http://[2001:db8::80]:2379']],
    ['http://[::1]:2379', ['http://[::1]:2379']],
    ['my_host-1.local', ['http://my_host-1.local:2379']],
    [
      ['a:1', 'https://b:2', 'c'],
      ['http://a:1', 'https://b:2', 'http://c:2379'],
    ],
    [['a:1', 'http://a:1', 'http://A:1/'], ['http://a:1']],
  ])('%j', (given, expected) => {
    expect(resolveOptions(given).endpoints).toEqual(expected);
    expect(resolveOptions({ endpoints: given }).endpoints).toEqual(expected);
  });

  test.each<[string, string]>([
    ['localhost', 'https://localhost:2379'],
    ['localhost:443', 'https://localhost'],
    ['localhost:443/', 'https://localhost'],
    ['localhost:80', 'https://localhost:80'],
    ['[::1]', 'https://[::1]:2379'],
    ['http://plain:2379', 'http://plain:2379'],
  ])('%s beside the option tls', (given, expected) => {
    expect(resolveOptions(given, { tls: {} }).endpoints).toEqual([expected]);
  });

  test.each<[unknown, string]>([
    ['', 'host:port or a URL'],
    ['  ', 'host:port or a URL'],
    [':2379', 'host:port or a URL'],
    ['http://', 'host:port or a URL'],
    ['http:host', 'host:port or a URL'],
    ['::1', 'host:port or a URL'],
    ['::1:2379', 'host:port or a URL'],
    ['[::1', 'host:port or a URL'],
    ['[fe80::1%eth0]:2379', 'host:port or a URL'],
    ['a b:2379', 'host:port or a URL'],
    ['host:port', 'host:port or a URL'],
    ['host:65536', 'host:port or a URL'],
    ['host:-1', 'host:port or a URL'],
    ['unix:///var/run/etcd.sock', 'host:port or a URL'],
    ['ftp://host', 'an http or https URL'],
    ['ws://host:2379', 'an http or https URL'],
    ['etcd://host:2379', 'an http or https URL'],
    ['http://host:2379/v2', 'a URL without path, query or fragment'],
    ['host/v2/keys', 'a URL without path, query or fragment'],
    ['http://host?x=1', 'a URL without path, query or fragment'],
    ['http://host#x', 'a URL without path, query or fragment'],
    ['a:1,b:2', 'one endpoint; pass an array for several'],
    ['http://a:1,http://b:2', 'one endpoint; pass an array for several'],
  ])('%j is refused', (given, expected) => {
    const alone = refusal(given);
    expect([alone.option, alone.value]).toEqual(['endpoints', given]);
    expect(alone.message).toBe(`endpoints: expected ${expected}, got ${JSON.stringify(given)}`);
    expect(refusal({ endpoints: given }).message).toBe(alone.message);
    // In a list, the message names the one that is wrong.
    const listed = refusal(['good:1', given]);
    expect([listed.option, listed.value]).toEqual(['endpoints[1]', given]);
    expect(listed.message).toContain(expected);
  });

  test.each<[unknown]>([[7], [true], [null], [new Date(0)], [() => 'a']])('%p is no endpoint', (given) => {
    expect(refusal({ endpoints: given })).toMatchObject({ option: 'endpoints' });
    expect(refusal(['a', given])).toMatchObject({ option: 'endpoints[1]' });
  });

  test('an empty list is refused', () => {
    expect(refusal([]).message).toBe('endpoints: expected at least one endpoint, got an array of 0');
    expect(refusal({ endpoints: [] }).option).toBe('endpoints');
  });

  test.each<[unknown]>([[7], [true], [null], [() => 'a']])('%p as the only argument is refused', (given) => {
    expect(refusal(given)).toMatchObject({ option: 'endpoints', value: given });
  });

  test('a URL object is not taken for options', () => {
    const given = new URL('http://etcd.example.com:2379');
    expect(refusal(given).option).toBe('endpoints');
  });

  test('endpoints in two places are refused', () => {
    expect(refusal('a', { endpoints: 'b' }).message).toContain('endpoints in one place only');
  });

  test('two options objects are refused', () => {
    expect(refusal({}, {}).option).toBe('endpoints');
  });
});
