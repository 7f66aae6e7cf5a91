import { parseJson } from '../../lib/transport/parse-json.js';

test.each([
  ['{"a":1}', { a: 1 }],
  ['7', 7],
  ['null', null],
  ['', undefined],
  ['{', undefined],
  ['undefined', undefined],
])('parseJson(%j)', (text, value) => {
  expect(parseJson(text)).toEqual(value);
});
