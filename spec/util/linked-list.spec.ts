import { LinkedList, type Link } from '../../lib/util/linked-list.js';
import { seededRandom } from '../support/values/random.js';

test('values stand in order of arrival, each as often as it was added', () => {
  const list = new LinkedList<string>();
  for (const value of ['b', 'a', 'b']) list.add(value);
  expect(list.toArray()).toEqual(['b', 'a', 'b']);
});

test('who leaves twice leaves once', () => {
  const list = new LinkedList<string>();
  const link = list.add('a');
  link.leave();
  list.add('b');
  link.leave();
  expect(list.toArray()).toEqual(['b']);
});

test('in whatever order they come and leave, those who stayed are there', () => {
  const random = seededRandom(jest.getSeed());
  const list = new LinkedList<number>();
  const there: Link<number>[] = [];
  for (let value = 0; value < 5_000; value += 1) {
    if (random.next() < 0.5) there.push(list.add(value));
    else there.splice(random.int(there.length + 1), 1)[0]?.leave();
    // As text: `toEqual` takes milliseconds for thousands of values.
    expect(list.toArray().join()).toBe(there.map((one) => one.value).join());
  }
});
