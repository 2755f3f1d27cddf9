namespace Orleans.Runtime;

/// <summary>The activations of a stateless worker with one key.</summary>
internal sealed class WorkerPool(GrainClass type, string key)
{
    private readonly List<Activation> _workers = [];
    private int _next;

    public int Count
    {
        get
        {
            lock (_workers)
            {
                return _workers.Count;
            }
        }
    }

    /// <summary>Gives a request to a free worker, or a new one, or, where there may be no more, the next in turn.</summary>
    public void Send(GrainRequest request)
    {
        // Accepting within the lock keeps two requests from finding the same worker free.
        lock (_workers)
        {
            Pick().Accept(request);
        }
    }

    public void Remove(Activation worker)
    {
        lock (_workers)
        {
            _workers.Remove(worker);
        }
    }

    public Activation[] Snapshot()
    {
        lock (_workers)
        {
            return [.. _workers];
        }
    }

    private Activation Pick()
    {
        foreach (var worker in _workers)
        {
            if (worker.IsFree)
            {
                return worker;
            }
        }

        if (_workers.Count >= type.MaxWorkers)
        {
            _next = (_next + 1) % _workers.Count;
            return _workers[_next];
        }

        type.Runtime.ThrowIfStopped();
        var added = new Activation(type, key);
        _workers.Add(added);
        return added;
    }
}
