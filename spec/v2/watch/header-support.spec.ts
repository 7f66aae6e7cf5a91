import { browserAbilities, nodeAbilities, type Abilities } from '../../../lib/transport/abilities.js';
import { HeaderSupport } from '../../../lib/v2/watch/header-support.js';

const here = 'http://a';
const answers = (support: HeaderSupport) => ({
  start: support.tellStart(here),
  precede: support.precedeEvents(here),
  atOnce: support.areDueAtOnce(here),
});

test.each<[string, Abilities, string | undefined, ReturnType<typeof answers>]>([
  ['Node', nodeAbilities, '3.4.23', { start: true, precede: true, atOnce: true }],
  ['Node, release unknown', nodeAbilities, undefined, { start: true, precede: true, atOnce: true }],
  ['Node, 0.4', nodeAbilities, '0.4.9', { start: false, precede: false, atOnce: true }],
  [
    'Node, 0.2, whose polls show none',
    nodeAbilities,
    '0.2.0',
    { start: false, precede: false, atOnce: false },
  ],
  ['a browser', browserAbilities, '3.4.23', { start: true, precede: false, atOnce: false }],
])('%s', (_, abilities, version, expected) => {
  expect(answers(new HeaderSupport(abilities, () => version))).toEqual(expected);
});

test('an endpoint that hides them tells no start, until it is none any more', () => {
  const support = new HeaderSupport(nodeAbilities, () => '3.4.23');
  support.hides(here);
  expect([support.areHidden(here), support.tellStart(here)]).toEqual([true, false]);
  expect([support.areHidden('http://b'), support.tellStart('http://b')]).toEqual([false, true]);
  // They come, though nothing can be read of them.
  expect([support.precedeEvents(here), support.areDueAtOnce(here)]).toEqual([true, true]);
  support.forget(here);
  expect([support.areHidden(here), support.tellStart(here)]).toEqual([false, true]);
});

test('in a browser those are due at once where they came at once, until a poll fails', () => {
  const support = new HeaderSupport(browserAbilities, () => '3.4.23');
  support.cameAtOnce(here);
  expect([support.areDueAtOnce(here), support.areDueAtOnce('http://b')]).toEqual([true, false]);
  support.mayComeLate(here);
  expect(support.areDueAtOnce(here)).toBe(false);
});
