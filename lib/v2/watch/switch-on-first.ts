import { Observable, Subscription, type OperatorFunction } from 'rxjs';

/**
 * Like `switchAll`, but make before break: the newer inner takes over when it first emits, and until then the older
 * one goes on. A newer inner that errors or completes before it has emitted is dropped without a trace, as long as an
 * older one goes on. Completes with the inner in charge, whatever the source does.
 *
 * @param takesOver whether a newer inner takes over with that value; what it emits before is dropped. Default: with any
 */
export function switchOnFirst<T>(
  takesOver: (value: T) => boolean = () => true,
): OperatorFunction<Observable<T>, T> {
  return (source$) =>
    new Observable((subscriber) => {
      let charge: Subscription | undefined;
      let successor: Subscription | undefined;

      const arm = (inner$: Observable<T>): void => {
        successor?.unsubscribe();
        const mine = new Subscription();
        if (charge === undefined) charge = mine;
        else successor = mine;
        mine.add(
          inner$.subscribe({
            next: (value) => {
              if (mine === successor) {
                if (!takesOver(value)) return;
                charge?.unsubscribe();
                charge = mine;
                successor = undefined;
              }
              subscriber.next(value);
            },
            error: (error: unknown) => {
              if (mine === charge) subscriber.error(error);
            },
            complete: () => {
              if (mine === charge) subscriber.complete();
            },
          }),
        );
      };

      subscriber.add(
        source$.subscribe({
          next: arm,
          error: (error: unknown) => {
            subscriber.error(error);
          },
        }),
      );
      return () => {
        charge?.unsubscribe();
        successor?.unsubscribe();
      };
    });
}
