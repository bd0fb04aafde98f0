"""What pages show of a schedule and its runs: chats, coming times, words. Decides nothing."""
