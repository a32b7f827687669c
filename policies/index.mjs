// The SDK loads a pack by `require` with ts-node in front, which has no ES modules; from here on
// Node itself runs the TypeScript.
import "./pack.ts";
