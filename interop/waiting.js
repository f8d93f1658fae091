// Waiting for a condition with a deadline; nothing here sleeps for a fixed time and hopes.

/// Polls `condition` until it answers something true, and answers that.
export async function eventually(what, deadlineMs, condition) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
