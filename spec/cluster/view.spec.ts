import { sameView } from '../../lib/cluster/view.js';
import { info, infos, urlOf, World } from './world.js';

describe('the rest of a view', () => {
  test('settled once every endpoint was probed, either way', () => {
    const world = new World(['1', '2']);
    expect(world.view.settled).toBe(false);
    expect(world.say(['1'], null).view.settled).toBe(false);
    expect(world.reset('2').view.settled).toBe(false);
    expect(world.down('2').view.settled).toBe(true);
  });

  test('live ones without a leader', () => {
    const world = new World(['1', '2', '3']).say(['1'], null).say(['2'], '2').down('3');
    expect(world.view).toMatchObject({ live: ['1', '2'].map(urlOf), leaderless: [urlOf('1')] });
  });

  test('TLS is to blame only when it fails at every endpoint', () => {
    const world = new World(['1', '2'], []);
    const tls = (id: string) => world.table.failed(urlOf(id), (world.time += 1), true, `reason ${id}`);
    tls('1');
    expect(world.view.tlsFailure).toBeUndefined();
    tls('2');
    expect(world.view.tlsFailure).toBe('reason 1');
    world.down('2');
    expect(world.view.tlsFailure).toBeUndefined();
    tls('2');
    world.say(['1'], '1');
    expect(world.view.tlsFailure).toBeUndefined();
  });
});

describe('sameView', () => {
  const base = () => new World(['1', '2', '3']).say(['1', '2', '3'], '1');
  test('of the same facts', () => {
    expect(sameView(base().view, base().view)).toBe(true);
    expect(sameView(base().view, base().after(5).only(['1', '2', '3'], '1').view)).toBe(true);
  });

  test.each<[string, World]>([
    ['another leader', base().only(['1', '2', '3'], '2')],
    ['no leader', base().only(['1', '2', '3'], null)],
    ['one without a leader', base().only(['3'], null)],
    ['one reset', base().reset('3')],
    ['one down', base().down('3')],
    [
      'another name',
      new World(['1', '2', '3'], [info('1'), info('2'), { ...info('3'), name: 'x' }]).say(
        ['1', '2', '3'],
        '1',
      ),
    ],
    [
      'another peer URL',
      new World(['1', '2', '3'], [info('1'), info('2'), { ...info('3'), peerURLs: [] }]).say(
        ['1', '2', '3'],
        '1',
      ),
    ],
    ['a member more', new World(['1', '2', '3'], infos('1', '2', '3', '4'), false).say(['1', '2', '3'], '1')],
  ])('not with %s', (_, world) => {
    expect(sameView(base().view, world.view)).toBe(false);
  });

  test('nor with another term', () => {
    const world = base();
    world.table.sawTerm(5, world.time, 'http://a');
    expect(sameView(base().view, world.view)).toBe(false);
  });
});
