import type { Core } from "./core.js";
import type { Entry } from "./engine.js";
import type { Hello } from "./frames.js";
import type { Status } from "./types.js";
export interface Link {
    readonly status: Status;
    readonly closeCode: number | undefined;
    /** The newest. */
    readonly hello: Hello | undefined;
    /** Milliseconds of the newest ping's round trip. */
    readonly latency: number | undefined;
    start(): void;
    /** Does what is due. */
    tick(): void;
    /** Withdraws what was sent; false if it never was. */
    cancel(m: Entry): boolean;
    /** Ends the wait for a verdict to what was sent here. */
    landed(m: Entry): void;
    /** Writes a frame if live. */
    send(frame: object): boolean;
    /** Gives the socket up and joins on another, at once if this one had been good. */
    restart(): void;
    /** Ends for good. */
    close(code: number): void;
}
export declare function openLink(core: Core): Link;
