import { testRandomRounds } from '../support/middlebox/random-rounds.js';
import { promised } from '../support/middlebox/round-plan.js';

testRandomRounds('watches behind middleboxes lose nothing', promised);
