import { expect, test } from "vitest";
import { AccessKey } from "../../src/page/access-key.ts";
import { memory, throwing } from "../store.ts";

test("a key is kept", () => {
  const store = memory();
  const key = new AccessKey(store);
  expect(key.text).toBe("");
  key.text = "secret";
  expect(new AccessKey(store).text).toBe("secret");
});

test("where the browser keeps nothing it holds as long as the page", () => {
  for (const store of [undefined, throwing]) {
    const key = new AccessKey(store);
    key.text = "secret";
    expect(key.text).toBe("secret");
  }
});
