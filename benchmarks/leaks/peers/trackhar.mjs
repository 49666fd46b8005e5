// Runs npm `trackhar` on a part: `node trackhar.mjs PART IDENTITY`.
//
// TRACKHAR names its entry file (node_modules/trackhar/dist/index.js). It reads HTTP archives, the
// requests alone: no answers, no WebSocket messages. The identifiers are its indicator values.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [part, identity] = process.argv.slice(2);
const { process: processHar } = await import(pathToFileURL(process.env.TRACKHAR).href);
const kinds = new Map();
const indicators = {};
for (const { kind, value } of JSON.parse(readFileSync(identity, 'utf-8')).identifiers) {
    const name = `${kind}-${kinds.size}`;
    kinds.set(name, kind);
    indicators[name] = [value];
}
console.log(JSON.stringify({ reads: ['http.har'] }));
const har = JSON.parse(readFileSync(`${part}/http.har`, 'utf-8'));
for (const entry of har.log.entries) {
    // One entry a call: a request that it cannot parse costs no other one.
    let found;
    try {
        found = await processHar({ log: { ...har.log, entries: [entry] } }, { indicatorValues: indicators });
    } catch {
        continue;
    }
    for (const { property, reasoning, context } of (found && found[0]) || []) {
        if (!kinds.has(property)) continue;
        const recipient = new URL(entry.request.url).hostname;
        console.log(JSON.stringify({
            file: 'http.har', recipient, kind: kinds.get(property), form: reasoning, location: context,
        }));
    }
}
