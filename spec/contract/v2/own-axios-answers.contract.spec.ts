import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import {
  isOutcomeUnknown,
  isResponseTooLarge,
  type ClientEvent,
  type EtcdClient,
  type EtcdError,
} from 'rxetcd';
import { filter, firstValueFrom, type Observable } from 'rxjs';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

/* What the interceptors and limits of an instance do to answers. */
const server = serverUnderTest();

const changing = (change: (response: AxiosResponse) => unknown): AxiosInstance => {
  const instance = axios.create();
  instance.interceptors.response.use((response) => change(response) as AxiosResponse);
  return instance;
};

const spoilt: [string, (response: AxiosResponse) => unknown, RegExp][] = [
  ['its data', ({ data }) => data as unknown, /returned (text|a response without a status)/],
  ['nothing', () => undefined, /returned undefined/],
  ['no status', (response) => ({ ...response, status: undefined }), /without a status/],
  ['no headers', (response) => ({ ...response, headers: undefined }), /without headers/],
  ['parsed data', (response) => ({ ...response, data: { parsed: true } }), /whose data is an object/],
];

test.each(spoilt)('an interceptor that returns %s is named at once', async (_, change, words) => {
  const client = server.client({ axios: changing(change) });
  const key = server.key();
  for (const call of [client.get$(key), client.watch$(key), client.watch$(key, { initial: true })]) {
    const error = (await rejectionOf(call)) as EtcdError;
    expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
    expect(error.message).toContain('an interceptor or the adapter of the axios instance');
    expect(error.message).toMatch(words);
  }
  const write = (await rejectionOf(client.set$(key, 'v'))) as EtcdError;
  // No probe has found a leader either; nothing was sent.
  expect(write).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
  expect((await server.fetch(`/keys${key}`)).status).toBe(404);
});

test('headers as a plain object simply work', async () => {
  const plain = (response: AxiosResponse) => ({
    ...response,
    headers: Object.assign({}, response.headers) as object,
  });
  const client = server.client({ axios: changing(plain) });
  const key = server.key();
  await firstValueFrom(client.set$(key, 'v'));
  const { info } = await firstValueFrom(client.get$(key));
  expect(info.etcdIndex).toBeGreaterThan(0);
});

test('the outcome of a write whose answer is spoilt is unknown, and what its status says is told', async () => {
  const onPut = (response: AxiosResponse) =>
    response.config.method === 'put' ? { ...response, data: 7 } : response;
  const client = server.client({ axios: changing(onPut) });
  const key = server.key();
  const error = (await rejectionOf(client.set$(key, 'v'))) as EtcdError;
  expect(isOutcomeUnknown(error)).toBe(true);
  expect(error.message).toContain('its status, 201, says that it was executed');
  expect(error.attempts).toMatchObject([{ status: 201 }]);
});

describe('limits of the instance', () => {
  test('maxContentLength: no suspicion, no second try, and the limit by name', async () => {
    const key = server.key();
    await firstValueFrom(server.client().set$(key, 'x'.repeat(5_000)));
    const client = server.client({ axios: axios.create({ maxContentLength: 2_000 }) });
    const types: string[] = [];
    client.events$.subscribe(({ type }) => types.push(type));
    const error = (await rejectionOf(client.get$(key))) as EtcdError;
    expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
    expect(error.message).toContain('maxContentLength of the axios instance, 2000 bytes');
    expect(types).not.toContain('retry');
    expect(types).not.toContain('member-down');
  });

  test('maxBodyLength: it never left', async () => {
    const key = server.key();
    const client = server.client({ axios: axios.create({ maxBodyLength: 1_000 }) });
    const error = (await rejectionOf(client.set$(key, 'x'.repeat(5_000)))) as EtcdError;
    expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
    expect(error.message).toContain('maxBodyLength of the axios instance');
    expect((await server.fetch(`/keys${key}`)).status).toBe(404);
  });
});

describe.each<[string, AxiosRequestConfig, RegExp]>([
  ['maxContentLength', { maxContentLength: 10 }, /maxContentLength of the axios instance, 10 bytes/],
  [
    'maxContentLength over fetch',
    { adapter: 'fetch', maxContentLength: 10 },
    /maxContentLength of the axios instance, 10 bytes/,
  ],
  [
    'an option that is none',
    { transitional: { foo: true } as never },
    /refused its options: Unknown option foo/,
  ],
  ['a wrong value', { socketPath: 7 as never }, /refused its options: socketPath must be a string/],
  ['an adapter that is none', { adapter: 'nonsense' }, /refused its options: Unknown adapter 'nonsense'/],
  [
    'another protocol',
    { baseURL: 'ftp://x', allowAbsoluteUrls: false },
    /refused its options: Unsupported protocol ftp:/,
  ],
])('an option for which axios refuses even a probe: %s', (_, option, words) => {
  test.each<[string, (client: EtcdClient, key: string) => Observable<unknown>]>([
    ['a read', (client, key) => client.get$(key)],
    ['a quorum read', (client, key) => client.get$(key, { quorum: true })],
    ['a write', (client, key) => client.set$(key, 'v'.repeat(20))],
  ])('costs %s one attempt and nobody a suspicion', async (__, call) => {
    const client = server.client({ axios: axios.create(option) });
    const told: ClientEvent[] = [];
    client.events$.subscribe((event) => told.push(event));
    // As the first probe, and as one that knows what comes of it.
    for (const key of [server.key(), server.key()]) {
      const error = (await rejectionOf(call(client, key))) as EtcdError;
      expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
      expect(error.message.split('\n')[0]).toMatch(words);
      expect(error.attempts).toHaveLength(1);
    }
    const types = told.map(({ type }) => type).filter((type) => type !== 'request' && type !== 'response');
    expect(types).toEqual([]);
    const { hasQuorum, members } = client.clusterState$.value;
    expect([hasQuorum, members]).toMatchObject([undefined, [{ status: 'unknown' }]]);
  });
});

test('what only probes are too large for does not keep calls from a member', async () => {
  const client = server.client({ axios: axios.create({ maxContentLength: 110 }) });
  const key = server.key();
  // More than 110 bytes, as its member list is.
  expect(await rejectionOf(client.members.list$())).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
  expect(await firstValueFrom(client.exists$(key))).toBe(false);
  await firstValueFrom(client.set$(key, 'v'));
  expect(await firstValueFrom(client.getValue$(key))).toBe('v');
});

describe.each<[string, () => { axios?: AxiosInstance }]>([
  ['undici', () => ({})],
  ['axios over http', () => ({ axios: axios.create({ adapter: 'http' }) })],
  ['axios over fetch', () => ({ axios: axios.create({ adapter: 'fetch' }) })],
])('maxResponseBytes, %s', (_, options) => {
  const large = 'x'.repeat(20_000);
  const open = () => server.client({ ...options(), maxResponseBytes: 10_000 });

  test('a read ends in it at once', async () => {
    const key = server.key();
    await firstValueFrom(server.client().set$(key, large));
    const error = (await rejectionOf(open().get$(key))) as EtcdError;
    expect(isResponseTooLarge(error)).toBe(true);
    expect(error.message).toContain('larger than 10000 bytes, the option maxResponseBytes');
    expect(error.attempts).toHaveLength(1);
  });

  test('a write that was executed is not reported as failed', async () => {
    const key = server.key();
    const error = (await rejectionOf(open().set$(key, large))) as EtcdError;
    expect(isOutcomeUnknown(error)).toBe(true);
    expect(error.message).toContain('maxResponseBytes');
    expect((await server.fetch(`/keys${key}`)).status).toBe(200);
  });

  test('a watch ends in it, by an event and by its state', async () => {
    const key = server.key();
    const client = open();
    const event = rejectionOf(client.watch$(key));
    await firstValueFrom(client.watches$.pipe(filter(([watch]) => watch?.state === 'live')));
    await firstValueFrom(server.client().set$(`${key}/large`, large));
    expect(isResponseTooLarge(await event)).toBe(true);
    expect(isResponseTooLarge(await rejectionOf(client.watch$(key, { initial: true })))).toBe(true);
  });
});
