using System.Diagnostics;
using System.Text.Json;
using AgentPlatform.Bench.Measuring;

namespace AgentPlatform.Bench.Load;

/// <summary>
/// Sends prepared requests over many connections and measures the answers. Runs in a process of its own; sockets complete on their one polling
/// thread, so that a request costs little more than its two system calls.
/// </summary>
public sealed class LoadGenerator
{
    private readonly LoadOrder _order;
    private readonly PreparedRequests _requests;
    private readonly Lock _lock = new();
    private readonly Histogram _latency = new();
    private readonly SortedDictionary<int, long> _statuses = [];
    private readonly Stack<LoadConnection> _idle = new();
    private readonly ManualResetEventSlim _finished = new();
    private readonly long[]? _traceTimes;
    private long _startedAt;
    private long _endsAt;
    private long _lastAnswerAt;
    private int _next;
    private int _underWay;
    private bool _isOver;

    private LoadGenerator(LoadOrder order)
    {
        _order = order;
        _requests = PreparedRequests.Make(order);
        _traceTimes = order.Traces ? new long[_requests.Count] : null;
    }

    /// <summary>Takes orders, one JSON line each: says that the requests are ready, waits for the line <c>go</c>, and answers with the result. Ends with its input.</summary>
    public static async Task ServeAsync(TextReader input, TextWriter output)
    {
        while (await input.ReadLineAsync() is { } line)
        {
            var generator = new LoadGenerator(JsonSerializer.Deserialize<LoadOrder>(line)!);
            GC.Collect();
            await output.WriteLineAsync("ready");
            await output.FlushAsync();
            await input.ReadLineAsync();
            await output.WriteLineAsync(JsonSerializer.Serialize(generator.Run()));
            await output.FlushAsync();
        }
    }

    private LoadResult Run()
    {
        var connections = Enumerable.Range(0, _order.Connections).Select(_ => new LoadConnection(Answered)).ToArray();
        foreach (var connection in connections)
        {
            connection.Connect(_order.Port);
        }
        _startedAt = Stopwatch.GetTimestamp();
        _endsAt = _startedAt + (long)(_order.Seconds * Stopwatch.Frequency);
        if (_order.Rate > 0)
        {
            SendWhenDue(connections);
        }
        else
        {
            SendAtOnce(connections);
        }
        if (!_finished.Wait(TimeSpan.FromSeconds(_order.Seconds + 60)))
        {
            throw new TimeoutException($"{_underWay} requests were not answered within a minute.");
        }
        foreach (var connection in connections)
        {
            connection.Dispose();
        }
        return new LoadResult
        {
            Answers = _latency.Count,
            Statuses = _statuses,
            Seconds = Stopwatch.GetElapsedTime(_startedAt, _lastAnswerAt).TotalSeconds,
            P50 = _latency.Milliseconds(0.5),
            P99 = _latency.Milliseconds(0.99),
            P999 = _latency.Milliseconds(0.999),
            Maximum = _latency.Maximum / 1000.0,
            RanOut = _next == _requests.Count && _order.Rate == 0,
            TraceTimes = _traceTimes?[.._next],
            TraceContacts = _traceTimes is null ? null : [.. Enumerable.Range(0, _next).Select(index => _order.FirstContact + index % _order.Contacts)],
        };
    }

    private void SendAtOnce(LoadConnection[] connections)
    {
        _underWay = connections.Length;
        foreach (var connection in connections)
        {
            SendNext(connection);
        }
    }

    /// <summary>Looks at the clock every millisecond and sends what is due; what no connection is free for is sent late, and its lateness counts.</summary>
    private void SendWhenDue(LoadConnection[] connections)
    {
        foreach (var connection in connections)
        {
            _idle.Push(connection);
        }
        while (true)
        {
            var now = Stopwatch.GetTimestamp();
            var due = (int)Math.Min(_requests.Count, _order.Rate * Math.Min(now - _startedAt, _endsAt - _startedAt) / Stopwatch.Frequency);
            while (_next < due)
            {
                LoadConnection? connection;
                int index;
                lock (_lock)
                {
                    if (!_idle.TryPop(out connection))
                    {
                        break;
                    }
                    index = _next++;
                    _underWay++;
                }
                Send(connection, index, _startedAt + (long)(index / _order.Rate * Stopwatch.Frequency));
            }
            if (now >= _endsAt && (_next >= due || now > _endsAt + 30 * Stopwatch.Frequency))
            {
                lock (_lock)
                {
                    _isOver = true;
                    FinishWhenIdle();
                }
                return;
            }
            Thread.Sleep(1);
        }
    }

    private void SendNext(LoadConnection connection)
    {
        int index;
        var now = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            if (now >= _endsAt || _next == _requests.Count)
            {
                _underWay--;
                _isOver = true;
                FinishWhenIdle();
                return;
            }
            index = _next++;
        }
        Send(connection, index, now);
    }

    private void Send(LoadConnection connection, int index, long dueAt)
    {
        connection.DueAt = dueAt;
        if (_traceTimes is not null)
        {
            _traceTimes[index] = dueAt;
        }
        connection.Send(_requests[index]);
    }

    private void Answered(LoadConnection connection, int status)
    {
        var now = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            _latency.Record((long)Stopwatch.GetElapsedTime(connection.DueAt, now).TotalMicroseconds);
            _statuses[status] = _statuses.GetValueOrDefault(status) + 1;
            _lastAnswerAt = now;
            if (_order.Rate > 0 || status == 0)
            {
                _underWay--;
                if (status != 0)
                {
                    _idle.Push(connection);
                }
                FinishWhenIdle();
                return;
            }
        }
        SendNext(connection);
    }

    private void FinishWhenIdle()
    {
        if (_isOver && _underWay == 0)
        {
            _finished.Set();
        }
    }
}
