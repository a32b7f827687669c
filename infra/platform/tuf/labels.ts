/** On the pods of every serving state. */
export const mirrorLabels = { "app.kubernetes.io/name": "tuf-mirror" };

/** On the probe's pod, and all that belongs to it. */
export const proberLabels = { "app.kubernetes.io/name": "prober" };

/** On the signer's pods, and all that belongs to it. */
export const signerLabels = { "app.kubernetes.io/name": "tuf-signer" };
