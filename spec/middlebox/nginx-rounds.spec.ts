import { testRandomRounds } from '../support/middlebox/random-rounds.js';
import { promised } from '../support/middlebox/round-plan.js';

testRandomRounds('watches behind nginx lose nothing', { ...promised, fronts: ['nginx-unbuffered'] });
