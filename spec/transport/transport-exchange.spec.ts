import { firstValueFrom } from 'rxjs';
import { kinds, scriptedTransports } from './scripted-transports.js';

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;

describe.each(kinds)('an exchange, %s', (kind) => {
  test('hands over status, headers and the body as it is', async () => {
    await serve(() => ({ status: 201, headers: { 'X-Etcd-Index': '42' }, body: '{"action":"gét 🙂"}' }));
    const { status, headers, body } = await firstValueFrom(open(kind).exchange$(requestOf()));
    expect([status, headers.get('x-etcd-index'), body]).toEqual([201, '42', '{"action":"gét 🙂"}']);
    expect(headers.get('x-raft-term') ?? undefined).toBeUndefined();
  });

  test('sends method, path, form and credentials as they are given', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open(kind);
    await firstValueFrom(
      transport.exchange$(
        requestOf({
          method: 'PUT',
          path: '/v2/keys/a%20b/%F0%9F%99%82?prevValue=x%26y&wait=true',
          body: 'value=a%20b%26c&ttl=5',
          authorization: 'Basic cm9vdDpwdw==',
        }),
      ),
    );
    await firstValueFrom(transport.exchange$(requestOf({ method: 'DELETE' })));
    const [put, del] = scripted.server.requests;
    expect(put).toMatchObject({
      method: 'PUT',
      path: '/v2/keys/a%20b/%F0%9F%99%82',
      body: 'value=a%20b%26c&ttl=5',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': '21',
        authorization: 'Basic cm9vdDpwdw==',
      },
    });
    expect(put?.query.get('prevValue')).toBe('x&y');
    expect(del).toMatchObject({ method: 'DELETE', body: '' });
    expect(del?.headers.authorization).toBeUndefined();
  });

  test.each([200, 201, 307, 400, 401, 404, 500, 503])('%i is an answer', async (status) => {
    await serve(({ path }) =>
      path === '/elsewhere'
        ? { status: 200, body: 'the redirect was followed' }
        : { status, headers: { Location: `${scripted.server.url}/elsewhere` }, body: 'as it is' },
    );
    const answer = await firstValueFrom(open(kind).exchange$(requestOf({ authorization: 'Basic x' })));
    expect([answer.status, answer.body]).toEqual([status, 'as it is']);
    expect(scripted.server.requests).toHaveLength(1);
  });

  test.each<[string, string]>([
    ['empty', ''],
    ['truncated JSON', '{"action":"get","no'],
    ['a number', '7'],
    ['HTML', '<html>502</html>'],
    ['with a byte order mark', '{"a":1}'],
  ])('a body is handed over undecoded: %s', async (_, body) => {
    await serve(() => ({ status: 200, body }));
    expect((await firstValueFrom(open(kind).exchange$(requestOf()))).body).toBe(body);
  });

  test('a large body arrives whole', async () => {
    const body = '🙂é'.repeat(500_000);
    await serve(() => ({ status: 200, body }));
    const answer = await firstValueFrom(open(kind).exchange$(requestOf()));
    expect(answer.body.length).toBe(body.length);
    expect(answer.body === body).toBe(true);
  });

  test('sequential commands use their connection again', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open(kind);
    for (let i = 0; i < 20; i++) await firstValueFrom(transport.exchange$(requestOf()));
    expect(scripted.server.requests).toHaveLength(20);
    // undici does not touch a connection in the turn of the loop in which it answered, and so takes two in turn.
    expect(scripted.server.accepted).toBeLessThanOrEqual(2);
  });

  test('each subscription is one exchange, and none sends nothing', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const exchange$ = open(kind).exchange$(requestOf());
    expect(scripted.server.accepted).toBe(0);
    await firstValueFrom(exchange$);
    await firstValueFrom(exchange$);
    expect(scripted.server.requests).toHaveLength(2);
  });
});
