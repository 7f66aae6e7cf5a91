import { Watermark } from '../../lib/v2/watermark.js';

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
    seen.forEach((index) => watermark.saw(index));
    expect(watermark.value).toBe(highest);
  });

  test('starts again below when the cluster was rebuilt', () => {
    const watermark = new Watermark();
    watermark.saw(1_000);
    watermark.restart(3);
    expect(watermark.value).toBe(3);
    watermark.saw(4);
    expect(watermark.value).toBe(4);
  });
});
