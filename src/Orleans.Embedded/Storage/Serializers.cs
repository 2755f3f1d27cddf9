using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Orleans.Serialization;

namespace Orleans.Serialization
{
    /// <summary>How states are written as JSON.</summary>
    public sealed class SystemTextJsonGrainStorageSerializerOptions
    {
        /// <summary>The options of System.Text.Json; fields are written too, and nulls left out.</summary>
        public JsonSerializerOptions JsonSerializerOptions { get; } = new()
        {
            IncludeFields = true,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        };
    }
}

namespace Orleans.Storage
{
    /// <summary>States as JSON.</summary>
    internal sealed class StateSerializer(IOptions<SystemTextJsonGrainStorageSerializerOptions> options)
    {
        public byte[] Serialize<T>(T? state) => JsonSerializer.SerializeToUtf8Bytes(state, options.Value.JsonSerializerOptions);

        public T? Deserialize<T>(byte[] payload) => JsonSerializer.Deserialize<T>(payload, options.Value.JsonSerializerOptions);
    }
}
