import { EtcdClient, type EtcdError } from 'rxetcd';
import { firstValueFrom, lastValueFrom, toArray, type Observable } from 'rxjs';
import { cleanUp } from '../../support/jest/clean-up.js';
import { startScriptedServer } from '../../support/scripted/scripted-server.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';

/* What a monitor that tells causes apart by their code gets of health$, however the cause shows. */
const undos: (() => unknown)[] = [];
afterEach(() => cleanUp(undos));

const text = { 'content-type': 'text/plain' };
const html = { 'content-type': 'text/html' };
const page = (status: number): ScriptedAction => ({ status, headers: html, body: '<html>hello</html>' });

/** Each with what its server does; none: nobody listens any more. */
const causes: [string, string, (ScriptedAction | undefined)[]][] = [
  [
    'what answers is no etcd',
    'UNEXPECTED_RESPONSE',
    [
      ...[200, 400, 401, 403, 404, 405, 429, 500, 502, 503, 504].map(page),
      { status: 404, headers: text, body: '404 page not found\n' },
      { status: 503, headers: text, body: 'Service Unavailable' },
      { status: 503, body: { message: 'no healthy upstream' } },
      { status: 200, body: {} },
      { status: 200, body: '' },
      { status: 200, body: '{"health":"tr' },
      { status: 200, body: { health: 1 } },
      { status: 404, body: { errorCode: 100, message: 'Key not found', cause: '/', index: 1 } },
    ],
  ],
  ['nobody can be reached', 'ALL_NODES_DOWN', [undefined, { reset: true }, { raw: '', then: 'end' }]],
  [
    'who is reached says nothing',
    'REQUEST_TIMEOUT',
    [
      { silence: true },
      { headersThenSilence: { status: 200 } },
      { raw: 'HTTP/1.1 200 OK\r\n', then: 'silence' },
    ],
  ],
];
const table = causes.flatMap(([cause, code, actions]) =>
  actions.map((action) => [cause, code, action] as const),
);

it.each(table)('%s: %s, of %j', async (_, code, action) => {
  const server = await firstValueFrom(startScriptedServer(() => action ?? { reset: true }));
  undos.push(() => lastValueFrom(server.close$()));
  if (action === undefined) await lastValueFrom(server.close$());
  const url = action === undefined ? 'http://127.0.0.1:1' : server.url;
  const client = new EtcdClient(url, { probeTimeout: 200 });
  undos.push(() => client.close());
  const health$: Observable<{ healthy: boolean; error?: EtcdError; endpoint?: string }[]> = client
    .health$()
    .pipe(toArray());
  // Of whom nothing is known, and of whom it is known.
  for (let i = 0; i < 2; i += 1)
    expect(await firstValueFrom(health$)).toMatchObject([{ healthy: false, endpoint: url, error: { code } }]);
});
