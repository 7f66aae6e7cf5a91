/** A browser's timers keep nothing alive. */
export { asyncScheduler as unrefScheduler } from 'rxjs';
