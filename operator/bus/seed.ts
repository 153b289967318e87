/** A seed as the NATS libraries take it; the newline that editors add to files is dropped. */
export const bytes = (seed: string): Uint8Array => new TextEncoder().encode(seed.trim());
