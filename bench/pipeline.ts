/**
 * What axios itself costs for one request: the same canned response through
 * different configurations, no network.
 */
import axios, { Axios, AxiosHeaders, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { AbortHandle, type LeanAdapter } from './lean-config.js';
import { anyStatus, quietInstance, smallestClient } from './contenders.js';
import { headersIn, type HeaderStyle } from './lean-pool-dispatch.js';
import { median } from './rounds.js';

const RAW = [
  'Content-Type',
  'application/json',
  'X-Etcd-Cluster-Id',
  'cdf818194e3a8c32',
  'X-Etcd-Index',
  '12345',
  'X-Raft-Index',
  '23456',
  'X-Raft-Term',
  '2',
  'Date',
  'Sat, 22 Nov 2025 02:20:56 GMT',
  'Content-Length',
  '160',
].map((text) => Buffer.from(text));

const ROUNDS = 9;
const REPEATS = 4000;

const canned =
  (style: HeaderStyle): LeanAdapter =>
  (config) =>
    Promise.resolve({ data: '{}', status: 200, statusText: 'OK', headers: headersIn(style, RAW), config });

function withoutDefaults(...names: string[]): Pick<Axios, 'request'> {
  const client = quietInstance(canned('lean'));
  const defaults = client.defaults as unknown as Record<string, unknown>;
  for (const name of names) {
    if (name === 'headers') defaults[name] = {};
    else Reflect.deleteProperty(defaults, name);
  }
  return client;
}

type Call = () => Promise<AxiosResponse<string>>;

function calls(): Record<string, Call> {
  const adapter = canned('lean');
  const get: AxiosRequestConfig = { method: 'get', url: '/v2/keys/a' };
  const quiet = quietInstance(adapter);
  const small = smallestClient(adapter);
  const transforms = { transformRequest: [], transformResponse: [] };
  const on =
    (client: Pick<Axios, 'request'>, more: object = {}): Call =>
    () =>
      client.request({ ...get, ...more });
  const withAdapter = (style: HeaderStyle): Call => on(smallestClient(canned(style)));
  const intercepted = smallestClient(adapter);
  intercepted.interceptors.response.use((response) => response);
  const preset = new AxiosHeaders({ 'content-type': 'application/x-www-form-urlencoded' });
  return {
    'adapter alone': () => adapter(get as never),
    'new Axios({adapter}), lean headers': on(small),
    '  ... plain object headers': withAdapter('plain'),
    '  ... AxiosHeaders': withAdapter('axios'),
    '  ... lazy headers': withAdapter('lazy'),
    '  ... PUT with body': on(small, { method: 'put', data: 'value=x' }),
    '  ... PUT with body, header as plain object': on(small, {
      method: 'put',
      data: 'value=x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
    '  ... PUT with body, header as AxiosHeaders': on(small, {
      method: 'put',
      data: 'value=x',
      headers: preset,
    }),
    '  ... one request header': on(small, { headers: { authorization: 'Basic eDp5' } }),
    '  ... client.get(url)': () => small.get('/v2/keys/a'),
    '  ... baseURL default': on(new Axios({ adapter, baseURL: 'http://127.0.0.1:2379' })),
    '  ... params {a, b}': on(small, { params: { wait: true, waitIndex: 5 } }),
    '  ... allowAbsoluteUrls given': on(new Axios({ adapter, allowAbsoluteUrls: true })),
    '  ... transforms [] given': on(new Axios({ adapter, ...transforms })),
    '  ... one response interceptor': on(intercepted),
    '  ... 8 more defaults': on(
      new Axios({
        adapter,
        ...transforms,
        responseType: 'text',
        validateStatus: anyStatus,
        timeout: 0,
        maxRedirects: 0,
        maxBodyLength: -1,
        maxContentLength: -1,
      }),
    ),
    '  ... adapter per request': on(new Axios(), { adapter }),
    '  ... new AbortController, signal': () =>
      small.request({ ...get, signal: new AbortController().signal }),
    '  ... own AbortHandle': () =>
      small.request({ ...get, abortHandle: new AbortHandle() } as AxiosRequestConfig),
    'axios.create, transforms []': on(quiet),
    '  ... defaults.headers = {}': on(withoutDefaults('headers')),
    '  ... and transitional, env, xsrf, max... deleted': on(
      withoutDefaults(
        'headers',
        'transitional',
        'env',
        'xsrfCookieName',
        'xsrfHeaderName',
        'maxContentLength',
        'maxBodyLength',
        'timeout',
      ),
    ),
    'axios.create, default transforms': on(axios.create({ adapter })),
    'axios.create, default transforms, PUT': on(axios.create({ adapter }), {
      method: 'put',
      data: 'value=x',
    }),
    'axios.request, all per request': () =>
      axios.request({ ...get, adapter, ...transforms, responseType: 'text', validateStatus: anyStatus }),
  };
}

export async function comparePipelines(): Promise<void> {
  const entries = Object.entries(calls());
  const times = entries.map((): number[] => []);
  for (let round = -2; round < ROUNDS; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const index = (turn + Math.max(round, 0) * 3) % entries.length;
      const call = entries[index]![1];
      const start = process.cpuUsage();
      for (let n = 0; n < REPEATS; n++) await call();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) times[index]!.push((user + system) / REPEATS);
    }
  }
  console.log('\npipeline: axios alone, canned response');
  console.log('| configuration | CPU us/request | min-max |');
  console.log('|---|---|---|');
  entries.forEach(([name], index) => {
    const own = times[index]!;
    console.log(
      `| ${name} | ${median(own).toFixed(1)} | ${Math.min(...own).toFixed(1)}-${Math.max(...own).toFixed(1)} |`,
    );
  });
}
