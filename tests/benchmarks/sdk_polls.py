"""Run by the interpreter of an environment that has the official SDK: prints the seconds of CPU of one poll."""

import asyncio
import sys
import time

from clearstreet import AsyncClearStreet  # type: ignore[import-not-found]  # installed there, not here


async def main(url: str, response_id: str, account_id: int, count: int) -> float:
    async with AsyncClearStreet(api_key="key", base_url=url, max_retries=0) as client:
        began = 0.0
        for number in range(count + 20):
            if number == 20:
                began = time.process_time()
            await client.v1.omni_ai.responses.get_response_by_id(response_id, account_id=account_id)
        return (time.process_time() - began) / count


print(asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
