/** Values that a form or a query would change if they were not encoded. */
export const awkwardValues = [
  ['nothing', ''],
  ['a semicolon', 'a;b=c;'],
  ['an ampersand', 'a&b=c&'],
  ['a plus', '1+1 = 2'],
  ['a percent sign', '100%, %41, %zz'],
  ['line ends', 'one\ntwo\r\nthree\n'],
  ['unicode', 'Zürich, 東京, 🦊, \u2028, \u0000'],
  ['HTML', '<a href="x">&amp;</a>'],
  ['JSON', '{"a":["\\"",1]}'],
] as const;
