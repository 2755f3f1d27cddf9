using System.Net;
using System.Net.Sockets;

namespace AgentPlatform.Fakes;

/// <summary>
/// Ports on loopback for what must be told its port before it starts. They lie below those that the system gives to outgoing connections, of which tests make thousands: a port that was
/// free a moment ago would often be one of these by the time that somebody listens on it.
/// </summary>
public static class TestPorts
{
    private const int First = 10_000;
    private const int Count = 20_000;

    /// <summary>Test projects run side by side: each begins elsewhere.</summary>
    private static int _last = Environment.ProcessId * 2 % 1000 * 20;

    /// <summary>A port that nobody listens on.</summary>
    public static int Next() => Pair().First;

    /// <summary>Two of them, one after the other.</summary>
    public static (int First, int Second) Pair()
    {
        while (true)
        {
            var port = First + ((Interlocked.Add(ref _last, 2) & int.MaxValue) % Count);
            if (IsFree(port) && IsFree(port + 1))
            {
                return (port, port + 1);
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
