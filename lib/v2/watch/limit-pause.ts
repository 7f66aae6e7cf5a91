import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { MemberLeft } from '../../watch/member-left.js';

/**
 * Errors when nothing has come for so long in the middle of an answer: what holds its rest back may never let it go. One that has not
 * begun, or that has come whole, is waited for.
 *
 * @param isMiddle whether more is to come behind that part
 */
export function limitPause<T>(limitMs: number, isMiddle: (part: T) => boolean): MonoTypeOperatorFunction<T> {
  return (parts$) =>
    new Observable((subscriber) => {
      let limit: ReturnType<typeof setTimeout> | undefined;
      subscriber.add(() => {
        clearTimeout(limit);
      });
      return parts$.subscribe({
        next: (part) => {
          clearTimeout(limit);
          if (isMiddle(part))
            limit = setTimeout(() => {
              subscriber.error(new MemberLeft('its answer stopped in the middle'));
            }, limitMs);
          subscriber.next(part);
        },
        error: (error: unknown) => {
          subscriber.error(error);
        },
        complete: () => {
          subscriber.complete();
        },
      });
    });
}
