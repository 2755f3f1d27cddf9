using System.Security.Cryptography;
using System.Text;

namespace AgentPlatform.Silo.Demo;

/// <summary>Ids of the demo's rows: the same in every database, so that links and examples can name them.</summary>
public static class DemoIds
{
    /// <summary>The demo organization.</summary>
    public static readonly Guid Organization = Of("organization");

    /// <summary>The web channel whose page a newcomer chats on: <c>/chat/{id}</c>.</summary>
    public static readonly Guid WebChannel = Of("channel/web");

    /// <summary>The agent behind all demo channels.</summary>
    public static readonly Guid Agent = Of("agent");

    /// <summary>A version 8 UUID computed from a name such as <c>client/emma</c>.</summary>
    public static Guid Of(string name)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes("soul-kg/" + name)).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
