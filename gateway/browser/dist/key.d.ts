/** A key after a and before b; "" is the open end on that side. Undefined if a or b is no key or a is not before b. */
export declare function keyBetween(a: string, b: string): string | undefined;
