import { infos, urlOf, World } from './world.js';

describe('members in the state', () => {
  const statuses = (world: World) => world.view.members.map((m) => `${m.id}:${m.status}`).join(' ');

  test('before the cluster is known there is one for each endpoint', () => {
    const world = new World(['1', '2', '3'], []);
    expect(world.view.members.map(String)).toEqual([
      'Member (not identified) (unknown) http://m1:2379',
      'Member (not identified) (unknown) http://m2:2379',
      'Member (not identified) (unknown) http://m3:2379',
    ]);
    world.down('1').reset('2').answer(urlOf('3'), { id: '3' });
    expect(world.view.members.map(String)).toEqual([
      'Member (not identified) (down) http://m1:2379',
      'Member (not identified) (unknown) http://m2:2379',
      'Member 3 (running) http://m3:2379',
    ]);
  });

  test.each<[string, World, string]>([
    ['all run', new World(['1', '2']).say(['1', '2'], '1'), '1:running 2:running'],
    ['one is down', new World(['1', '2']).say(['1', '2'], '1').down('2'), '1:running 2:down'],
    [
      'one was reset: not down yet',
      new World(['1', '2']).say(['1', '2'], '1').reset('2'),
      '1:running 2:running',
    ],
    [
      'a configured one was never reached',
      new World(['1', '2']).say(['1'], '1').down('2'),
      '1:running 2:down',
    ],
    [
      'a found one was never reached',
      new World(['1'], infos('1', '2')).say(['1'], '1').down('2'),
      '1:running 2:unknown',
    ],
    [
      'nobody was asked for it',
      new World(['1'], infos('1', '2'), false).say(['1'], '1'),
      '1:running 2:unknown',
    ],
    [
      'it came back',
      new World(['1', '2']).say(['1', '2'], '1').down('2').only(['2'], '1'),
      '1:running 2:running',
    ],
  ])('%s', (_, world, expected) => {
    expect(statuses(world)).toBe(expected);
  });
});
