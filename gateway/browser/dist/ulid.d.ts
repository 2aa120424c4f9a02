/** A ULID of that time: 10 characters of milliseconds since 1970, 16 of chance. */
export declare function ulid(ms: number): string;
