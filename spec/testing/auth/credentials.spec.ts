import { readBasic } from '../../../lib/testing/auth/credentials.js';

const encoded = (text: string) => Buffer.from(text).toString('base64');

test.each([
  ['root:r', 'root', 'r'],
  ['root:', 'root', ''],
  [':', '', ''],
  ['a:b:c', 'a', 'b:c'],
  ['é東:🦊', 'é東', '🦊'],
  ['\ufeffa:b', '\ufeffa', 'b'],
])('%j is read', (text, username, password) => {
  expect(readBasic(`Basic ${encoded(text)}`)).toEqual({ username, password });
  expect(readBasic(`bASIC ${encoded(text)}`)).toEqual({ username, password });
});

test.each([
  '',
  'Basic',
  'Basic ',
  `Basic  ${encoded('a:b')}`,
  `Basic ${encoded('a:b')} `,
  `Basic ${encoded('a')}`,
  `Basic ${encoded('a:bc').replaceAll('=', '')}`,
  `Basic ${encoded('a:b')}=`,
  'Basic !!!',
  `Bearer ${encoded('a:b')}`,
  `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`,
])('%j is not', (header) => {
  expect(readBasic(header)).toBeUndefined();
});
