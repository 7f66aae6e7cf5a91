import { isBelow, Watermark, type Told } from '../../lib/v2/watermark.js';

describe('Watermark', () => {
  test.each<[(number | undefined)[], number]>([
    [[], 0],
    [[5], 5],
    [[5, 3, 7, 6], 7],
    [[5, 0], 5],
    [[5, undefined], 5],
    [[undefined, 0], 0],
  ])('of %j the highest is %i', (seen, highest) => {
    const watermark = new Watermark();
    seen.forEach((index) => watermark.saw(index === undefined ? {} : { etcdIndex: index }));
    expect(watermark.value).toBe(highest);
  });

  test('starts again below when the cluster was rebuilt', () => {
    const watermark = new Watermark();
    watermark.saw({ etcdIndex: 1_000 });
    watermark.restart(watermark.mark, { etcdIndex: 3 });
    expect(watermark.value).toBe(3);
    watermark.saw({ etcdIndex: 4 });
    expect(watermark.value).toBe(4);
  });

  test('each of its numbers is the highest', () => {
    const watermark = new Watermark();
    watermark.saw({ etcdIndex: 5, raftIndex: 90, raftTerm: 2, clusterId: 'c' });
    watermark.saw({ etcdIndex: 4, raftIndex: 91, raftTerm: 3 });
    expect(watermark.mark).toEqual({ epoch: 0, clusterId: 'c', etcdIndex: 5, raftIndex: 91, raftTerm: 3 });
  });

  test('another cluster starts anew, and is no other epoch: who was of the first is told by its id', () => {
    const watermark = new Watermark();
    watermark.saw({ etcdIndex: 5, raftIndex: 90, raftTerm: 9, clusterId: 'c' });
    const { mark } = watermark;
    watermark.saw({ etcdIndex: 3, raftIndex: 4, clusterId: 'd' });
    expect(watermark.mark).toEqual({ epoch: 0, clusterId: 'd', etcdIndex: 3, raftIndex: 4, raftTerm: 0 });
    watermark.restart(mark, { etcdIndex: 1 });
    expect(watermark.value).toBe(3);
  });

  test('a rebuilt cluster begins an epoch once, whoever finds it out', () => {
    const restarted = jest.fn();
    const watermark = new Watermark(restarted);
    watermark.saw({ etcdIndex: 155, raftIndex: 900, raftTerm: 9 });
    const { mark } = watermark;
    watermark.restart(mark, { etcdIndex: 49, raftTerm: 2 });
    watermark.saw({ etcdIndex: 60 });
    watermark.restart(mark, { etcdIndex: 49 });
    expect(watermark.mark).toMatchObject({ epoch: 1, etcdIndex: 60, raftIndex: 0, raftTerm: 2 });
    expect(restarted).toHaveBeenCalledTimes(1);
  });
});

describe('below a mark', () => {
  const mark = { epoch: 0, clusterId: 'c', etcdIndex: 155, raftIndex: 900, raftTerm: 9 };

  test.each<[Told, boolean]>([
    [{}, false],
    [{ etcdIndex: 155, raftIndex: 900, raftTerm: 9 }, false],
    [{ etcdIndex: 154 }, true],
    [{ etcdIndex: 0, raftIndex: 4, raftTerm: 1 }, false],
    [{ etcdIndex: 160, raftIndex: 899 }, true],
    [{ etcdIndex: 160, raftIndex: 900, raftTerm: 8 }, true],
    [{ etcdIndex: 154, clusterId: 'd' }, false],
    [{ etcdIndex: 154, clusterId: 'c' }, true],
  ])('is %j: %p', (told, expected) => {
    expect(isBelow(told, mark)).toBe(expected);
  });
});
