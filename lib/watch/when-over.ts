import { Observable, type Subscription } from 'rxjs';

/** Emits once when the stay is over. */
export function whenOver$(stay: Subscription): Observable<void> {
  return new Observable((subscriber) => {
    const over = (): void => {
      subscriber.next();
      subscriber.complete();
    };
    stay.add(over);
    return () => {
      stay.remove(over);
    };
  });
}
