/**
 * Days left under which the expiry of a TUF role that an update signs is a warning: the root needs
 * its holders, the rest one `pulumi up`. Metadata does not tell when it was signed, so a share of
 * its life is not known.
 */
export const warnDays = { root: 30, targets: 7, snapshot: 7 } as const;

/**
 * The share of its life under which what is left of a timestamp is a warning. It is renewed every
 * day: with 3 of 7 days left, three renewals have failed, and clients still have three days.
 */
export const timestampWarnShare = 3 / 7;

/** Days left under which the certificate of a CA or TSA is a warning: a rotation takes its time. */
export const certificateWarnDays = 90;

/** Seconds by which two clocks may differ: more than any network delay. */
export const clockTolerance = 60;
