import type { MemberInfo } from '../../lib/cluster/member.js';
import { advertises, EndpointTable } from '../../lib/cluster/endpoint-table.js';

const info = (id: string, ...clientURLs: string[]): MemberInfo => ({
  id,
  name: `n-${id}`,
  clientURLs,
  peerURLs: [],
});
const three = [info('1', 'http://a:1'), info('2', 'http://b:2'), info('3', 'http://c:3')];
const urls = (table: EndpointTable) => table.endpoints.map((e) => e.url);
const live = (table: EndpointTable) => table.endpoints.filter((e) => table.isLive(e)).map((e) => e.url);
const belonging = (table: EndpointTable) => table.endpoints.filter((e) => table.belongs(e)).map((e) => e.url);

describe('a probe that was sent earlier and is answered later', () => {
  const early = { id: '1', clusterId: 'x', leader: '2', version: '3.3.0', members: three.slice(0, 2) };
  const late = { id: '1', clusterId: 'x', leader: '3', version: '3.4.0', members: three };

  test('takes back nothing of what the later one told', () => {
    const table = new EndpointTable(['http://a:1', 'http://b:2'], true);
    table.probed('http://a:1', 20, { ...late, unsupported: 'no API' });
    table.probed('http://a:1', 10, early);
    expect(table.endpoint('http://a:1')).toMatchObject({
      leader: '3',
      version: '3.4.0',
      namedAt: 20,
      unsupported: 'no API',
    });
    expect(table.members).toHaveLength(3);
    // Nor does that of another member.
    table.probed('http://b:2', 15, { ...early, id: '2' });
    expect(table.endpoint('http://b:2')).toMatchObject({ leader: '2', version: '3.3.0' });
    expect(table.members).toHaveLength(3);
    table.probed('http://b:2', 21, { ...early, id: '2' });
    expect(table.members).toHaveLength(2);
  });

  test('tells what the later one did not: who is there', () => {
    const table = new EndpointTable(['http://a:1'], true);
    table.probed('http://a:1', 20, { leader: '3', clusterId: 'x' });
    table.probed('http://a:1', 10, early);
    expect(table.endpoint('http://a:1')).toMatchObject({
      id: '1',
      verifiedAt: 10,
      leader: '3',
      namedAt: 20,
    });
    expect(table.members).toHaveLength(2);
  });

  test.each([
    ['of this cluster', 'x', true],
    ['of another', 'y', false],
    ['of none', undefined, false],
  ])('tells that of a found member, if it is %s as the later one said', (_, clusterId, isAsked) => {
    const table = new EndpointTable(['http://a:1'], true);
    table.probed('http://a:1', 5, late);
    table.probed('http://b:2', 20, { leader: '3', clusterId: 'x' });
    const { members: _members, ...own } = early;
    table.probed('http://b:2', 10, { ...own, id: '2', clusterId });
    expect(table.mayBeAsked(table.endpoint('http://b:2')!)).toBe(isAsked);
  });
});

describe('what is alive', () => {
  /** Each step: what happened, and whether the endpoint is live after it. */
  test.each<[string, [(r: EndpointTable) => void, boolean][]]>([
    [
      'an endpoint is not live before it has answered, and is from then on',
      [
        [() => undefined, false],
        [(r) => r.answered('http://a:1', 10), true],
      ],
    ],
    [
      'a failure suspects it, and only an answer to a later request clears it',
      [
        [(r) => r.answered('http://a:1', 10), true],
        [(r) => r.failed('http://a:1', 20, false), false],
        [(r) => r.answered('http://a:1', 15), false],
        [(r) => r.answered('http://a:1', 20), false],
        [(r) => r.answered('http://a:1', 21), true],
      ],
    ],
    [
      'so does a probe',
      [
        [(r) => r.failed('http://a:1', 20, true), false],
        [(r) => r.probed('http://a:1', 15, {}), false],
        [(r) => r.probed('http://a:1', 21, {}), true],
      ],
    ],
    [
      'an old answer does not undo a new one',
      [
        [(r) => r.answered('http://a:1', 30), true],
        [(r) => r.answered('http://a:1', 10), true],
        [(r) => r.failed('http://a:1', 20, false), true],
      ],
    ],
  ])('%s', (_, steps) => {
    const table = new EndpointTable(['http://a:1'], true);
    for (const [step, expected] of steps) {
      step(table);
      expect(live(table).length === 1).toBe(expected);
    }
  });

  test('down is what cannot be connected to, until it answers a later request', () => {
    const table = new EndpointTable(['http://a:1'], true);
    const down = () => table.endpoint('http://a:1')?.down;
    table.failed('http://a:1', 10, false);
    expect(down()).toBe(false);
    table.failed('http://a:1', 20, true);
    table.failed('http://a:1', 30, false);
    expect(down()).toBe(true);
    table.answered('http://a:1', 25);
    expect(down()).toBe(true);
    table.answered('http://a:1', 31);
    expect(down()).toBe(false);
  });

  test('a reset is no probe, a refusal is as good as one', () => {
    const table = new EndpointTable(['http://a:1'], true);
    const probed = () => table.endpoint('http://a:1')?.probed;
    table.failed('http://a:1', 10, false);
    expect(probed()).toBe(false);
    table.failed('http://a:1', 10, true);
    expect(probed()).toBe(true);
  });

  test('the reason of a TLS failure is kept until the endpoint fails for another', () => {
    const table = new EndpointTable(['https://a:1'], true);
    table.failed('https://a:1', 10, true, 'CERT_HAS_EXPIRED');
    expect(table.endpoint('https://a:1')?.tls).toBe('CERT_HAS_EXPIRED');
    table.failed('https://a:1', 20, true);
    expect(table.endpoint('https://a:1')).not.toHaveProperty('tls');
  });

  test('what happens to an endpoint that is not known is not minded', () => {
    const table = new EndpointTable(['http://a:1'], true);
    table.answered('http://x', 1);
    table.failed('http://x', 1, true);
    table.probed('http://x', 1, { id: '1', members: three });
    expect([urls(table), table.members]).toEqual([['http://a:1'], []]);
  });
});

describe('members found in the cluster', () => {
  const found = (table: EndpointTable, members: MemberInfo[], url = 'http://a:1') => {
    table.probed(url, 1, { id: '1', clusterId: 'c', leader: '1', members });
    return urls(table);
  };

  test('their URLs become endpoints, behind the configured ones', () => {
    expect(found(new EndpointTable(['http://a:1'], true), three)).toEqual([
      'http://a:1',
      'http://b:2',
      'http://c:3',
    ]);
  });

  test('not with discover: false; the members are known all the same', () => {
    const table = new EndpointTable(['http://a:1'], false);
    expect(found(table, three)).toEqual(['http://a:1']);
    expect(table.members.map((m) => m.id)).toEqual(['1', '2', '3']);
  });

  test.each<[string, string, MemberInfo[], string[]]>([
    [
      'http beside https',
      'https://a:1',
      [info('2', 'http://b:2', 'https://b:3')],
      ['https://a:1', 'https://b:3'],
    ],
    ['https beside http', 'http://a:1', [info('2', 'https://b:3')], ['http://a:1', 'https://b:3']],
    ['a path', 'http://a:1', [info('2', 'http://b:2/x/')], ['http://a:1', 'http://b:2']],
    [
      'the same URL twice',
      'http://a:1',
      [info('2', 'http://b:2', 'http://B:2/'), info('3', 'http://b:2')],
      ['http://a:1', 'http://b:2'],
    ],
    ['its own URL', 'http://a:1', [info('1', 'http://a:1')], ['http://a:1']],
    ['no URL', 'http://a:1', [info('2', '', 'nonsense', 'unix://sock', '://')], ['http://a:1']],
    ['credentials', 'http://a:1', [info('2', 'http://u:p@b:2')], ['http://a:1', 'http://b:2']],
  ])('advertised %s', (_, configured, members, expected) => {
    expect(found(new EndpointTable([configured], true), members, configured)).toEqual(expected);
  });

  test('a URL that no member advertises any more is forgotten, a configured one never', () => {
    const table = new EndpointTable(['http://a:1', 'http://x:9'], true);
    found(table, three);
    expect(found(table, [three[1]!])).toEqual(['http://a:1', 'http://x:9', 'http://b:2']);
    // What was known of it does not come back with it.
    table.probed('http://b:2', 5, { id: '2', clusterId: 'c' });
    found(table, []);
    found(table, three);
    expect(live(table)).toEqual(['http://a:1']);
  });

  test('are listed by name, then id', () => {
    const table = new EndpointTable(['http://a:1'], true);
    const named = (id: string, name: string) => ({ ...info(id), name });
    found(table, [named('9', 'b'), named('3', 'b'), named('5', 'a'), named('4', '')]);
    expect(table.members.map((m) => m.id)).toEqual(['4', '5', '3', '9']);
  });

  test.each<[string, { id?: string; clusterId?: string }, boolean]>([
    ['the right id and cluster', { id: '2', clusterId: 'c' }, true],
    ['the id of another member', { id: '3', clusterId: 'c' }, false],
    ['an id that is in no list', { id: '9', clusterId: 'c' }, false],
    ['another cluster', { id: '2', clusterId: 'd' }, false],
    ['no id', { clusterId: 'c' }, false],
    ['the right id, but no cluster where the cluster is known', { id: '2' }, false],
  ])('one that answers with %s', (_, answer, used) => {
    const table = new EndpointTable(['http://a:1'], true);
    found(table, three);
    expect(belonging(table)).toEqual(['http://a:1']);
    table.probed('http://b:2', 5, { leader: '1', ...answer });
    expect(belonging(table).includes('http://b:2')).toBe(used);
    expect(live(table).includes('http://b:2')).toBe(used);
  });

  test('where no cluster id can be read the id of the member is enough', () => {
    const table = new EndpointTable(['http://a:1'], true);
    table.probed('http://a:1', 1, { id: '1', leader: '1', members: three });
    table.probed('http://b:2', 1, { id: '2', leader: '1' });
    expect(belonging(table)).toEqual(['http://a:1', 'http://b:2']);
  });

  test('a URL whose member became another is no longer used', () => {
    const table = new EndpointTable(['http://a:1'], true);
    found(table, three);
    table.probed('http://b:2', 5, { id: '2', clusterId: 'c' });
    table.probed('http://b:2', 6, { id: '3', clusterId: 'c' });
    expect(belonging(table)).toEqual(['http://a:1']);
  });

  test('a removed member is no longer used at a URL that another still advertises', () => {
    const table = new EndpointTable(['http://a:1'], true);
    found(table, three);
    table.probed('http://b:2', 5, { id: '2', clusterId: 'c' });
    found(table, [three[0]!, info('3', 'http://b:2')]);
    expect(belonging(table)).toEqual(['http://a:1']);
  });
});

describe('who may tell the members', () => {
  const list = [info('1', 'http://a:1')];
  const told = (table: EndpointTable) => table.members.map((m) => m.id).join();

  test('the first list is taken as it comes, later ones from members that know a leader', () => {
    const table = new EndpointTable(['http://a:1', 'http://b:2'], true);
    table.probed('http://a:1', 1, { id: '1', clusterId: 'c', leader: null, members: three });
    expect(told(table)).toBe('1,2,3');
    table.probed('http://b:2', 1, { id: '2', clusterId: 'c', leader: null, members: list });
    expect(told(table)).toBe('1,2,3');
    table.probed('http://b:2', 2, { id: '2', clusterId: 'c', leader: '1', members: list });
    expect(told(table)).toBe('1');
  });

  test('not a member of another cluster', () => {
    const table = new EndpointTable(['http://a:1', 'http://b:2', 'http://x:9'], true);
    table.probed('http://a:1', 1, { id: '1', clusterId: 'c', leader: '1', members: three });
    table.probed('http://b:2', 1, { id: '2', clusterId: 'c', leader: '1', members: three });
    table.probed('http://x:9', 1, {
      id: '9',
      clusterId: 'd',
      leader: '9',
      members: [info('9', 'http://evil')],
    });
    expect(told(table)).toBe('1,2,3');
    expect(urls(table)).not.toContain('http://evil');
    expect(belonging(table)).not.toContain('http://x:9');
  });

  test('a probe without a list changes nothing', () => {
    const table = new EndpointTable(['http://a:1'], true);
    table.probed('http://a:1', 1, { id: '1', clusterId: 'c', leader: '1', members: three });
    table.probed('http://a:1', 2, { leader: '2' });
    expect(told(table)).toBe('1,2,3');
    expect(table.endpoint('http://a:1')).toMatchObject({ id: '1', clusterId: 'c', leader: '2' });
  });
});

describe('the cluster', () => {
  const tell = (table: EndpointTable, url: string, clusterId: string, sentAt = 1) =>
    table.probed(url, sentAt, { id: `id ${url}`, clusterId, leader: null });

  test('is the one of most configured endpoints, whatever their order', () => {
    const table = new EndpointTable(['http://x', 'http://a', 'http://b'], true);
    tell(table, 'http://x', 'foreign');
    expect(table.clusterId).toBe('foreign');
    tell(table, 'http://a', 'ours');
    expect(table.clusterId).toBe('foreign');
    tell(table, 'http://b', 'ours');
    expect(table.clusterId).toBe('ours');
    expect(belonging(table)).toEqual(['http://a', 'http://b']);
  });

  test('is another once all have become another, as after a rebuild', () => {
    const table = new EndpointTable(['http://a', 'http://b'], true);
    tell(table, 'http://a', 'old');
    tell(table, 'http://b', 'old');
    tell(table, 'http://a', 'new', 2);
    expect(table.clusterId).toBe('old');
    tell(table, 'http://b', 'new', 2);
    expect(table.clusterId).toBe('new');
  });

  test.each([1, 2])(
    'one of another cluster beside %i of ours does not take over once these are down',
    (ours) => {
      const own = ['http://a', 'http://b'].slice(0, ours);
      const table = new EndpointTable([...own, 'http://stray'], true);
      for (const url of own) tell(table, url, 'ours');
      tell(table, 'http://stray', 'theirs');
      for (const url of own) table.failed(url, 5, true);
      tell(table, 'http://stray', 'theirs', 6);
      expect(table.clusterId).toBe('ours');
      expect(table.mayBeAsked(table.endpoint('http://stray')!)).toBe(false);
      // Rebuilt, ours is another one as well.
      tell(table, 'http://a', 'rebuilt', 7);
      expect(table.clusterId).toBe('rebuilt');
    },
  );

  test('endpoints that are down have no say', () => {
    const table = new EndpointTable(['http://a', 'http://b'], true);
    tell(table, 'http://a', 'old');
    tell(table, 'http://b', 'old');
    table.failed('http://b', 5, true);
    tell(table, 'http://a', 'new', 6);
    expect(table.clusterId).toBe('new');
  });
});

describe('what an endpoint tells besides', () => {
  test('its release is kept until it tells another', () => {
    const table = new EndpointTable(['http://a:1'], true);
    const version = () => table.endpoint('http://a:1')?.version;
    expect(version()).toBeUndefined();
    table.probed('http://a:1', 1, { version: '3.4.23' });
    table.probed('http://a:1', 2, { leader: '1' });
    expect(version()).toBe('3.4.23');
    table.failed('http://a:1', 3, true);
    expect(version()).toBe('3.4.23');
    table.probed('http://a:1', 4, { version: '3.5.16' });
    expect(version()).toBe('3.5.16');
  });

  test('whom it points to is the leader that it names, until its next probe', () => {
    const table = new EndpointTable(['http://a:1', 'http://b:2'], true);
    const leader = () => table.endpoint('http://a:1')?.leader;
    table.probed('http://a:1', 1, { id: '1', leader: '1', members: three });
    table.probed('http://b:2', 1, { id: '2', leader: '1' });
    table.pointed('http://a:1', 'http://b:2');
    expect(leader()).toBe('2');
    expect(table.endpoint('http://b:2')?.leader).toBe('1');
    table.probed('http://a:1', 2, { leader: '1' });
    expect(leader()).toBe('1');
  });

  test('whom it points to is not minded while nobody knows who that is', () => {
    const table = new EndpointTable(['http://a:1', 'http://b:2'], true);
    table.probed('http://a:1', 1, { id: '1', leader: '1', members: three });
    for (const url of ['http://b:2', 'http://c:3', 'http://evil']) table.pointed('http://a:1', url);
    table.pointed('http://evil', 'http://a:1');
    expect(table.endpoint('http://a:1')?.leader).toBe('1');
    expect(urls(table)).not.toContain('http://evil');
  });

  test('doubts are counted', () => {
    const table = new EndpointTable(['http://a:1'], true);
    expect(table.doubts).toBe(0);
    table.doubt();
    table.doubt();
    expect(table.doubts).toBe(2);
  });
});

describe('terms and absent leaders', () => {
  test('only a higher term is the present one; each other one is news once', () => {
    const table = new EndpointTable(['http://a'], true);
    const news = [3, 2, 3, 2, 1, 4, 2].map((term) => table.sawTerm(term, 1, 'http://a'));
    expect(news).toEqual([true, true, false, false, true, true, true]);
    expect(table.raftTerm).toBe(4);
  });

  test('who is named is remembered with the time since when, without a break', () => {
    const table = new EndpointTable(['http://a:1'], false);
    table.names('2', 10);
    table.names('2', 20);
    expect(table.named).toEqual({ id: '2', since: 10 });
    table.names('3', 40);
    expect(table.named).toEqual({ id: '3', since: 40 });
    table.names(undefined, 50);
    expect(table.named).toBeUndefined();
    table.names('3', 60);
    expect(table.named).toEqual({ id: '3', since: 60 });
  });
});

test.each([
  ['http://a:1', true],
  ['http://b:2', true],
  ['http://a:2', false],
  ['https://a:1', false],
])('advertises(%s) is %s', (url, expected) => {
  expect(advertises(info('1', 'http://a:1/', 'nonsense', 'http://B:2'), url)).toBe(expected);
});
