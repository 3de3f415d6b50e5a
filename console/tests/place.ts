/* Where pages stand in these tests; the code that they look at is asked for its address. */

Object.assign(globalThis, { location: new URL("https://sayso.example/") });
