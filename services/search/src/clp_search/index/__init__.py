"""The index on disk, with new documents buffered in memory.

    LiveIndex            one generation serves, another may be in progress
      RemoteEngine       (workers/) calls one worker process per group of shards
        ShardedIndex     the shards of a generation; each project is in one
          Shard          the documents of some projects
            MemoryBuffer     new documents, searchable at once
            Segments         files written by Whoosh, oldest first
              Segment          immutable except for deletions
                Postings         term dictionary and postings, in our own codec
            Manifest         sizes and checksums of the files, and the cursor

`query_evaluator` matches a plan on a segment, `merge_iterator` merges the matches of
the buffer and of all segments, newest first. Without workers, `LiveIndex` opens
`ShardedIndex` itself.
"""
