import { request } from 'node:http';
import { firstValueFrom } from 'rxjs';
import { serverUnderTest } from '../support/server-under-test.js';
import { pageUnderTest } from './support/page-under-test.js';

/* A page whose own server passes requests on to etcd: it sees all headers. */
const server = serverUnderTest();
const pages = pageUnderTest((asked, answer) => {
  const { method = 'GET', url = '/', headers } = asked;
  const onward = request(server.url + url, { method, headers, agent: false }, (answered) => {
    answer.writeHead(answered.statusCode!, answered.headers).flushHeaders();
    answered.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  asked.pipe(onward);
});

test('calls tell the indexes, and a watch keeps its place', async () => {
  const client = await pages.client({ endpoints: pages.page.origin, discover: false });
  const key = server.key();
  const { info, node } = await client.call('set$', key, 'first');
  expect(info).toMatchObject({
    endpoint: pages.page.origin,
    etcdIndex: expect.any(Number) as number,
    raftTerm: expect.any(Number) as number,
  });
  const watch = await client.watch(key, { fromIndex: node.modifiedIndex! });
  await watch.count(1);
  const writer = server.client();
  for (let i = 0; i < 100; i += 1) await firstValueFrom(writer.set$(key, String(i)));
  const events = await watch.count(101);
  expect(events.map((event) => event.node.value)).toEqual([
    'first',
    ...Array.from({ length: 100 }, (_, i) => String(i)),
  ]);
  // No index had to be asked for: the polls' own headers tell it.
  expect((await client.events()).filter((event) => event.type === 'watch-lost')).toEqual([]);
});
