import faulthandler,hashlib as G,io,numpy as H,os as r,signal,subprocess,sys as c,time as d,torch as e,torch.distributed as a,torch.nn.functional as u,traceback,zlib
from functools import partial as I
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as J
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as o
def en(o,t):
 if not o.i:return t,
 a=range(o.shape[0]//len(o.i));return tuple(r.format(n)for r in o.i for n in a)
def b(i):
 h=[]
 for o in i:
  if o.i:
   a=range(o.shape[0]//len(o.i))
   for(r,d)in zip(o.i,o.init,strict=True):h+=[(r.format(n),d,o)for n in a]
  else:h+=[(t,o.init,o)for t in o.r()]
 return h
def es(n,i,device,r):
 for o in i:
  h=r if o.dtype=='activation'else e.float32
  for t in o.r():
   *d,l=t.split('.');s=n
   for a in d:
    if a not in s._modules:s.add_module(a,J.ModuleList())
    s=s._modules[a]
   s.register_parameter(l,J.Parameter(e.empty(o.shape,dtype=h,device=device)))
def er(o,t):a=G.sha256(f"{o}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(a[:7],'little'))
def eh(h,i,o,n):
 s=v(h.state_dict(),i)
 for(t,d,g)in b(i):a=e.empty(s[t].shape);d(a,er(o,t),n);s[t].copy_(a)
def v(s,i):
 h=[]
 for o in i:
  for t in o.r():h+=s[t].unbind()if o.i else[s[t]]
 return{t:r for((t,g,g),r)in zip(b(i),h,strict=True)}
def el(tensor,generator,ledger):tensor.zero_()
def n(tensor,generator,ledger):tensor.fill_(1.)
def ed(tensor,generator,ledger):tensor.fill_(1.5)
def ec(tensor,generator,ledger):tensor.normal_(.0,.005,generator=generator)
def eu():
 a=r.environ.get;h,t,o=int(a('RANK',0)),int(a('WORLD_SIZE',1)),int(a('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8, the micro-batches of a step")
 return h,t,o
def em():
 global l,oC,f,s;h,t,o=eu();r,u='gloo',e.device('cpu')
 if e.cuda.is_available():r,u='nccl',e.device('cuda',o);e.cuda.set_device(u)
 if t>1:a.init_process_group(r)
 f=h;s=t;oC=o;l=u;return
def ef():
 if s>1:a.destroy_process_group()
def ep(r):
 if s>1:a.all_reduce(r)
 return r
def eg(d):
 o=[d]*s
 if s>1:a.all_gather_object(o,d)
 return o
def ew(d):
 if s==1:return d
 o=e.tensor(d,dtype=float,device=l);a.all_reduce(o,a.ReduceOp.MAX);return o.item()
def ey(r):
 if r.grad is None:r.grad=e.zeros_like(r)
 return r.grad
def eb(h):
 t=[ey(r)for r in h]
 if s>1:
  i=e.cat([d.flatten()for d in t]);a.all_reduce(i);o=(i/s).split([d.numel()for d in t])
  for(d,g)in zip(t,o,strict=True):d.copy_(g.view_as(d))
def ev(t,n):
 if s>1:return a.reduce_scatter(t,list(n.chunk(s)),async_op=True)
 t.copy_(n);return
def ek(n,t):
 if s>1:return a.all_gather(list(n.chunk(s)),t,async_op=True)
 n.copy_(t);return
def ex(e):
 if e is not None:e.wait()
def ej():
 t=''
 try:on()
 except(OSError,ValueError)as o:t=f"{Z}: {o}"
 for(h,a)in enumerate(eg(t)):
  if a:raise ValueError(f"{a} (on rank {h})"if h else a)
def eq(a):
 if a is not None:h(f"prepared {Z}: {a}")
class Param(o):
 name:o;shape:o;group:o;x:o;init:o=None;l:o='';dtype:o='float32';layers:o=0;i:o=();reduction:o='replicated';z:o='';m:o=True;C:o=True;export:o='yes'
 def r(e):return[e.name.format(n)for n in range(e.layers)]or[e.name]
class Group(o):name:o;lr:o;weight_decay:o=.0
class Phase(o):name:o;start:o;q:o=True;l:o=''
class k:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def s(e,s,a):e.done[s,'']=a
 def j(e,s):return', '.join(f"{o} {a}".strip()for((t,a),o)in e.done.items()if t==s and o)
def ez(r,a,o):return(r/i(a)).round().clamp(-o,o).to(e.int8)
def i(a):return a[:,None]if a.ndim else a
def eA(o,a,r):return(o.float()*i(a).float()).to(r)
def eB(r):
 if r.ndim==2:a=(r.abs().amax(1)/31).clamp_min(1/31)
 else:a=r.abs().amax()/31;a=a if a>0 else a+1
 a=a.half();return ez(r,a.float(),31),a
def eC(o,r):
 if'kept'in o:return o['kept'].to(r)
 return eA(o['codes'],o['step'],r)
def x(t,o):
 a=r.environ.get(t,o)
 try:return int(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a whole number like {o!r}")from None
def eD():
 a=r.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(a)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {a!r}, wanted seconds like 600.0")from None
def eE():global P,Q,R,S,od,T,U,oc,ou,om;a=r.environ.get;P=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');Q='export'in c.argv;R=x('ITERATIONS',20000);S=eD();od=a('RUN_ID',str(d.time_ns()));T='score'in c.argv;U=x('SEED',1337);oc=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');ou=x('TRAIN_LOG_EVERY',200);om=x('VAL_LOSS_EVERY',1000);return
class Score(o):val_loss:o;d:o;A:o;g:o
def eF(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eG(n):r=et[n].to(l,int);a=r[:,:-1].contiguous();return a,r[:,1:].contiguous(),eH(a)
def eH(r):return{}
def eI(t,d,n,i):
 w,u=n[:,1:],l;t[w[i]]=d;a,r,c=eG(n)
 with e.set_grad_enabled(False):y=og(a,r,phases=tD(),fields=c,reduction='none',adapter=None)
 s,h=aD(a,r,w.to(u)),i.to(u);o=y.detach().double()*h,h,s*h;return y,e.stack([g.sum().double()for g in o])
def eJ(t,o):
 if s>1:t=t.to(l);a.all_reduce(t,o)
 return t.cpu()
def eK(t,r,u):
 eF(1+(t[1:]==0).nonzero().flatten());o,a,i=ep(r).tolist()
 if a>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(o/a,o/.6931471805599453/i,int(a),1e3*(d.perf_counter()-u))
def eL(scored_at):
 if f==0:d=f"logs/{od}.scores.npz";H.savez_compressed(d,scored_at=scored_at.numpy())
class Span(o):start:o;end:o;D:o
def eM(o):return[Span(a,a+1024,0)for a in range(0,(o-1)//1024*1024,1024)]
def eN(a,h,t):return a[len(a)*h//t:len(a)*(h+1)//t]
def eO(c,o):
 n=e.zeros(o,1025,dtype=int);i=e.zeros(o,1024,dtype=bool)
 for(r,(a,t,s))in enumerate(c):n[r,:t+1-a]=e.arange(a,t+1);i[r,s:t-a]=True
 return n,i
def eP(c):
 u,o=d.perf_counter(),op;y.eval();c=eN(c,f,s);t=e.zeros(len(et),dtype=e.int32);r=e.zeros(3,dtype=float,device=l)
 for(w,g)in enumerate(range(0,len(c),o),1):
  n,i=eO(c[g:g+o],o);r+=eI(t,w,n,i)[1]
  if w%100==0:h(f"eval: batch {w}")
 y.train();t=eJ(t,a.ReduceOp.MAX);return eK(t,r,u),t
def eQ(i):return{t:o.x for(t,g,o)in b(i)if o.export!='drop'}
def eR(s,i,u,n,l=0):
 h,a=eQ(i),{}
 for(t,e)in h.items():o=O[e].encode(t,s[t],u.get(t,{}),n);a[t]={r:d.cpu()for(r,d)in o.items()}
 return eS(a)
def eS(a):return a
def eT(a,n):return aq(ax(a,n),n)
def eU(data,s):
 a=2**20+sum(8*r.numel()+4096 for r in s.values())
 try:return aj(az(data,a))
 except Exception as o:raise ValueError(f"the artifact cannot be read: {o}")from o
def eV(t,o,e,r):return O[e].decode(t,o,r)
def eW(a,s,i):
 h=eQ(i)
 if a.keys()!=h.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,e)in h.items():
  try:r=eX(t,a[t],e,s[t].dtype)
  except Exception as o:raise ValueError(f"the artifact's {t} cannot be decoded: {o!r}")from o
  if r.shape!=s[t].shape:raise ValueError(f"{t}: shape {[*r.shape]}, wanted {[*s[t].shape]}")
  s[t].copy_(r)
def eX(t,o,e,r):return eV(t,o,e,r)
def eY(r,h,a):
 global W,V,ok;ok,W=h,h==0;t('logs').mkdir(exist_ok=True);V=t('logs',r+'.txt')
 if W and not a:V.write_text('')
 c.excepthook=I(te,V);faulthandler.register(signal.SIGTERM,V.open('a'),chain=True)
def h(a):
 if W:
  print(a,flush=True)
  with V.open('a')as e:print(a,file=e)
def eZ(a):
 if W:h(f"error: {a}")
 elif a not in V.read_text():
  with V.open('a')as e:print(f"rank {ok}: error: {a}",file=e)
def te(path,kind,error,trace):
 with path.open('a')as e:traceback.print_exception(error,file=e)
 c.__excepthook__(kind,error,trace)
def tt(device):
 a=G.sha256(t(c.argv[0]).read_bytes()).hexdigest();o=f"hardware:{r.uname().machine} CPU, {e.get_num_threads()} threads"
 if device.type=='cuda':o=subprocess.getoutput('nvidia-smi')
 h(f"Running Python {c.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{a}\n{o}")
def j():return len(t(c.argv[0]).read_bytes())
os='final_model.pt'
def q():return O['mlp'].name
def ta():return t(f"final_model.{q()}.ptz")
def to(a):
 s=v(y.state_dict(),p)
 if f==0:t('final_export.pt').unlink(missing_ok=True);z(I(e.save,s),'final_model.pt')
 u=tr()
 if f==0:h=u,g.done,w,ee,Y;z(I(e.save,h),'final_export.pt')
 ti(s,u)
def ti(s,u):
 o=tE();D('diagnostic','val');h(f"diagnostic pre-quantization post-ema val_loss:{o.val_loss:.8f} val_bpb:{o.d:.8f} eval_time:{o.g:.0f}ms")
 if f==0:th(s,u)
 ew(.0);td()
def z(o,d):
 a=t('final_model.tmp')
 try:
  o(a)
  with a.open('rb')as e:r.fsync(e.fileno())
  a.replace(d)
 finally:a.unlink(missing_ok=True)
def tn():
 global Y,ee,w;s=v(y.state_dict(),p);a,h=ts('final_model.pt'),ts('final_export.pt');o=[t for t in s if t not in a or a[t].shape!=s[t].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(t,r)in s.items():r.copy_(a[t])
 u,e,w,ee,Y=h;g.done.update(e);tA(Y);ti(s,u)
def ts(d):
 try:return e.load(d,l,weights_only=True)
 except OSError:raise
 except Exception as o:raise ValueError(f"{d} is damaged: {str(o)[:99]!r}")from o
def tr():global X;u={};X=False;return u
def th(s,u):a=eR(s,p,u,g,j());D('quantize','none');l=eT(a,g);D('compress','none');z(I(t.write_bytes,data=l),ta());r=f"{q()}+zlib";h(f"Serialized model: {t(os).stat().st_size} bytes\nCode size: {j()} bytes\nSerialized model {r}: {len(l)} bytes\nTotal submission size {r}: {len(l)+j()} bytes")
def tl():
 i=p;s=v(y.state_dict(),i)
 for r in s.values():r.zero_()
 l=ta().read_bytes();a=G.sha256(l).hexdigest()
 if T:
  o=''.join(d.read_text()for d in t('logs').glob('*.txt'))
  if'artifact_sha256:'in o and a not in o:raise ValueError('the artifact is not that of the logs in logs/')
 h('artifact_sha256:'+a);eW(eU(l,s),s,i)
def td():a=q();tl();D('decode','none');o,t=eP(eM(len(et)));D('score','val');tc(f"{a}_zlib_roundtrip",o);eL(t);g.count('chunked_eval','targets',o.A)
def tc(r,o):h(f"final_{r} val_loss:{o.val_loss:.4f} val_bpb:{o.d:.4f} eval_time:{o.g:.0f}ms\nfinal_{r}_exact val_loss:{o.val_loss:.8f} val_bpb:{o.d:.8f}")
def tu():
 a=[s.l for s in m if s.name not in w];o=False
 for t in ol:
  r=g.j(t)
  if r and t not in a:h(f"receipt {t}: {r}")
  else:h(f"error: plugin {t} did nothing");o=f==0
 return o
class tm:
 def __init__(e,h,i):d=[(h.get_parameter(t),en(o,t),o)for o in i for t in o.r()];e.tensors=[r for(r,a,o)in d];e.names=[a for(r,a,o)in d];e.replicated=[r for(r,a,o)in d if o.reduction=='replicated'];e.u=[r for(r,a,o)in d if o.m];e.b=[a for(r,a,o)in d if o.m];l=[r for(r,a,o)in d if o.group=='matrix'];u=[a for(r,a,o)in d if o.group=='matrix'];aQ(l,u);n=[(s,[r for(r,a,o)in d if o.group==s.name],[a for(r,a,o)in d if o.group==s.name])for s in oh];aH(n)
 @e.no_grad()
 def step(e,scalars,ledger):
  aR();eb(e.replicated);aI(scalars,ledger);aS(scalars,ledger)
  for r in e.tensors:r.grad=None
def tf(a):
 if e.cuda.is_available():return e.compile(a,dynamic=False,fullgraph=True)
 return a
def tp():return{}
def tg(t,a):return aM(t).contiguous()
def tw(d,s,u):s.mul_(u).add_(d);return d.add(s,alpha=u)
def ty(a):return max(1,a.shape[-2]/a.shape[-1])**.5
class Progress(o):step:o;v:o;p:o;f:o;E:o;n:o
class Scalars(o):n:o;B:o;momentum:o
def tb(a,e,t,r):s=t/r if r>0 else a/max(e,1);return Progress(a,e,t,r,s,1.)
class Context(o):
 ids:o;phases:o;training:o;a:o;memo:o;fields:o;c:o;w:o;ledger:o
 def t(e,s,a,o=1):
  if e.ledger is not None:e.ledger.count(s,a,o)
def A(a):return u.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tv(r,s,t):r=aZ(r,s,t);return r
def tk(r,a,s,n,o,t):
 r=tv(r,s,t)
 if t.w is not None:t.w(s,n,a)
 return B(u.linear(a,r.to(a.dtype)),a,s,o,t)
def B(r,a,e,o,t):
 if t.c is not None and e in t.c.sites:r=r+t.c.delta(a,e,o)
 return r
def tx(a,t):
 if'rope'not in t.memo:o,l,u=a.size(1),a.size(3),a.device;s=1e4**(-e.arange(0,l,2,dtype=e.float32,device=u)/l);d=e.outer(e.arange(o,dtype=e.float32,device=u),s);t.memo['rope']=d.cos(),d.sin()
 n,h=(c[None,:,None,:].to(a.dtype)for c in t.memo['rope']);r,i=a.chunk(2,-1);return e.cat((r*n+i*h,i*n-r*h),-1)
class GPT(J.Module):
 def __init__(e,i,device,r):super().__init__();e.records=i;es(e,i,device,r)
 def matrices(e):return v(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tv(ctx.a[f"blocks.{layer}.{role}.weight"],role,ctx)
 def h(e,a,s,n,o,t):return tk(t.a[f"blocks.{n}.{s}.weight"],a,s,n,o,t)
 def stem(e,ids,ctx):a=u.embedding(ids,ctx.a['tok_emb.weight']);a=A(a);return a
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):o=fields or{};s={};fields={**s,**o};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.stem(ids,t);a=A(ad(e,a,a,t));d=ay(a,t);l=tS(d,targets,reduction,t);return l
def tj(o):
 o=t(o);a=sorted(d for d in o.parent.glob(o.name)if('_bytes_'in d.name)==('_bytes_'in o.name))
 if not a:raise ValueError(f"{o}: no shard matches, see DATA_PATH")
 return a
def tq(d):
 i,a=t(d).stat().st_size,H.fromfile(d,'<i4',3).tolist()
 if i<=1024 or a!=[20240520,1,(i-1024)/2]:raise ValueError(f"{d}: {i} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def C(d):
 a=H.memmap(d,'<u2','r',1024,tq(d))
 if a.max()>=1024:raise ValueError(f"{d}: token {a.argmax()} is {a.max()}, wanted an id below 1024")
 return a
def tz(o):
 a=H.concatenate([C(d)for d in tj(o)])
 if len(a)<=1024:raise ValueError(f"{o}: {len(a)} tokens, wanted at least 1025")
 return e.from_numpy(a[:(len(a)-1)//1024*1024+1])
def tA(t):global of;of=d.perf_counter()-t/1e3
def D(t,data):global Y;a=1e3*(d.perf_counter()-of);h(f"stage:{t} begin:{Y:.0f}ms end:{a:.0f}ms data:{data}");Y=a
def tB(i,n):global Y,ee,og,g,y,p,w,Z,oD,op,of,et,X;p=i;g=n;w=();Z='';Y=.0;of=d.perf_counter();ee=False;X=not(T or Q);oD=0;op=max(64,1);r=e.bfloat16 if l.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;y=GPT(i,l,r);eh(y,i,U,n);og=tf(y);o=t(P,'fineweb_val_*.bin');et=tz(o);aC(oc,P,l,n);a=G.sha256(et.numpy().data).hexdigest();h(f"val_loader:shards pattern={o} tokens:{len(et)-1}\nval_sha256:{a}")
def E(n):o=t(P,'fineweb_train_*.bin');aE(o,f,s,n)
def tC():
 if not X:raise ValueError('training data are closed: training time is over')
 w=aG();a,r=(g.to(l,non_blocking=True)for g in w);return a,r,{}
def tD():return tuple(s.name for s in m if s.q and s.name in w)
def tE():return eP(eM(len(et)))[0]
def tF(h):
 a=[()]
 for s in h:a+=[(*o,s.name)for o in a]
 return a
def tG():
 h,n=y,g;a,r,c=tC();a,r=a[:1,:512],r[:1,:512];c={t:d[:1,:512]for(t,d)in c.items()};e=tuple(s.name for s in m);h(a,r,phases=e,fields=c,ledger=n).backward()
 for o in p:i=sum(h.get_parameter(t).grad is not None for t in o.r());n.count(o.l,'trained tensors',i)
 h.zero_grad()
def tH():
 s=y.state_dict();n={t:r.clone()for(t,r)in s.items()};d,i=tm(y,p),k();E(i)
 for o in tF(m):
  for a in range(20):tM(d,o,Scalars(1.,1.,.9),i);h(' '.join((f"warmup_step:{a+1}/20",*o)))
 for(t,r)in s.items():r.copy_(n[t])
 e.manual_seed(U);E(g)
def tI(i):
 try:s,d,n=eE(),em(),k()
 except ValueError as o:print(f"error: {o}",file=c.stderr);c.exit(2)
 r=eg(od)[0];eY(r,f,Q);e.manual_seed(U);e.backends.cuda.matmul.allow_tf32=True
 if S==0:tK()
 tt(l);h('plugins:'+' '.join(ol));tJ(i,n)
 if X:
  tL();tG();tH();a=tP()
  try:to(a)
  except(OSError,ValueError)as o:eZ(str(o));c.exit(f"error: rank {f}: {o}")
 t=not T and(tu()or ee);ef()
 if t:c.exit(1)
def tJ(i,n):
 global w
 try:
  tB(i,n);ej()
  if Q:tn()
  elif T:w=tuple(s.name for s in m);td()
  else:E(k())
  return
 except(OSError,ValueError)as o:
  eZ(str(o))
  if not Q:ef()
  c.exit(2)
def tK():r.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tL():t=s;h(f"model_params:{sum(r.numel()for r in y.parameters())}\nworld_size:{t} grad_accum_steps:{8//t}\nseed:{U}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{R} warmup_steps:20 max_wallclock_seconds:{S:.3f}")
def tM(d,h,i,n):
 o=8//s;t=.0
 for g in range(o):a,r,c=tC();l=og(a,r,phases=h,fields=c)/o;t+=l.detach();l.backward()
 d.step(i,n);return t
def tN(a,t,r):
 global w;o=tb(a,R,t,r);i=Scalars(1.,1.,.0)
 for d in(aJ,aY):i=d(o,i,g)
 for s in m:
  if s.name not in w and s.start(o._replace(n=i.n)):w=tuple(e.name for e in m if e.name in w or e is s);g.s(s.l,f"on at step {a}");h(f"phase {s.name} on at step:{a} train_time:{t:.0f}ms")
 return i
def tO():a=S;return 1e3*a
def tP():
 d=tm(y,p);aN(d.u,d.b);r,a,t=tO(),0,.0;aU()
 while True:
  s=a==R or 0<r<=t
  if s or om>0 and a%om==0:
   aV(g);o=tE();tQ(a,f"val_loss:{o.val_loss:.4f} val_bpb:{o.d:.4f}",t)
   if s:break
   aU()
  i=tN(a,t,r);l=tM(d,w,i,g);a+=1;aO(d.u,a,i);t=ew(aW(a))
  if ou>0 and(a<=10 or a%ou==0):
   tQ(a,f"train_loss:{l:.4f}",t)
   if l!=l:raise ValueError('the training loss is not a number')
 if a<R:h(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{a}/{R}")
 n,u=e.cuda.max_memory_allocated()>>20,e.cuda.max_memory_reserved()>>20;h(f"peak memory allocated: {n} MiB reserved: {u} MiB");aP(d.u,g);tA(t);D('train','train');return a
def tQ(a,o,t):h(f"step:{a}/{R} {o} train_time:{t:.0f}ms step_avg:{t/max(a,1):.2f}ms")
def tR(a,o,r,t):t.t('additive_skips','skips');return a+t.a['skip_weights'][r].to(a.dtype)*o
def tS(a,o,reduction,t):t.t('cross_entropy','losses');l=u.cross_entropy(a.flatten(0,1).float(),o.flatten(),reduction=reduction);return l.view_as(o)if reduction=='none'else l
def tT(a,t):t.t('partial_rope','rotations');o=tx(a[...,:16],t);return e.cat((o,a[...,16:]),-1)
def tU(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):
 if layer<4:return q_BTHC,k_BTKC
 ctx.t('pko','layers');a=k_BTKC[...,16:];r=e.cat((a[:,:1],a[:,:-1]),dim=1)
 if'starts'in ctx.fields:r=e.where(ctx.fields['starts'][:,:,None,None],a,r)
 return q_BTHC,e.cat((k_BTKC[...,:16],r),dim=-1)
def tV(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):ctx.t('qk_gain','layers');a=ctx.a[f"blocks.{layer}.attn.q_gain"].to(q_BTHC.dtype);return q_BTHC*a[:,None],k_BTKC
def tW(h,d,n,o,t):t.t('relu2','layers');a=u.relu(h.h(d,'mlp.fc',n,o,t)).square();return h.h(a,'mlp.proj',n,o,t)
def tX(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def tY(h,d,n,o,t):
 a=h.h(d,'attn.c_q',n,o,t);s=h.h(d,'attn.c_k',n,o,t);i=h.h(d,'attn.c_v',n,o,t);a=tT(A(e.unflatten(a,2,(8,-1))),t);s=tT(A(e.unflatten(s,2,(4,-1))),t);i=e.unflatten(i,2,(4,-1))
 for l in(tU,tV):a,s=l(h,a,s,d,n,o,t)
 r=aw(a,s,i,n,t);r=h.h(r.flatten(2),'attn.proj',n,o,t);return B(r,d,'attn',o,t)
def tZ(l,c,o,d,t):
 a,s,i=l.transpose(1,2),c.transpose(1,2),o.transpose(1,2)
 if d<0 or d>=a.size(2)-1:e=a.size(1)!=s.size(1);return u.scaled_dot_product_attention(a,s,i,is_causal=True,enable_gqa=e).transpose(1,2)
 return ae(l,c,o,at(a.size(2),d,a.device,t))
def ae(l,c,o,h):a,s,i=l.transpose(1,2),c.transpose(1,2),o.transpose(1,2);r=a.size(1)//s.size(1);s,i=s.repeat_interleave(r,1),i.repeat_interleave(r,1);return u.scaled_dot_product_attention(a,s,i,attn_mask=h).transpose(1,2)
def at(o,d,device,t):
 r='window',d
 if r not in t.memo:a=e.arange(o,device=device);s=a[:,None]-a[None,:];t.memo[r]=(s>=0)&(s<=d)
 h=t.memo[r];return h
def aa(a,e,n,t):o=t.a[f"blocks.{n}.resid_mix"].to(a.dtype);return o[0]*a+o[1]*e
def ao(a):o=A(a);return o
def ai(h,d,n,o,t):a=tY(h,d,n,o,t);return t.a[f"blocks.{n}.attn_scale"].to(d.dtype)*a
def an(h,d,n,o,t):a=B(tW(h,d,n,o,t),d,'mlp',o,t);return t.a[f"blocks.{n}.mlp_scale"].to(d.dtype)*a
def ar(h,a,e,n,o,t):r=aa(a[0],e,n,t);r=r+ai(h,ao(r),n,o,t);return r+an(h,ao(r),n,o,t),
def ah(a,o,r,n,t):
 if o is None:return a
 return tR(a[0],o,r,t),*a[1:]
def al(h,a,e,t):
 i,s=ab(t.phases);t.t('unet_plan','steps over 9 layers',len(i)+len(s));d=[]
 for(o,n)in enumerate(i):a=ar(h,a,e,n,o,t);d.append(a[0])
 for(r,n)in enumerate(s):a=ah(a,d.pop()if d else None,r,n,t);a=ar(h,a,e,n,len(i)+r,t)
 return a
def ad(h,a,o,t):t.t('sequential_wiring','walks');return al(h,(a,),o,t)[0]
def ac(device):
 if device.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return af(),None
def au(a,l,c,o,d):r=a(l,c,o,causal=True,window_size=(d,0));return r[0]if isinstance(r,tuple)else r
def am(a,l,c,o,d,t):
 if a is not None:return au(a,l,c,o,d)
 return tZ(l,c,o,d,t)
def af():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def ap():
 def a(batch,head,query,key):return(query>=key)&(query-key<=256)
 return a
def ag():
 global K;u=l;t,K=ac(u)
 if u.type!='cuda'or K is not None:return t
 for o in(1024,1024):a=ap();L[o]=create_block_mask(a,None,None,o,o,device=u)
 return f"flex_attention (windows), {t} (full)"
def aw(a,s,i,n,t):
 o=n<4;t.t('swa','windowed layers'if o else'full layers');d=256 if o else-1
 if o and t.ledger is None and a.size(1)in L:e=a.size(2)!=s.size(2);h=a.transpose(1,2),s.transpose(1,2),i.transpose(1,2);r=flex_attention(*h,block_mask=L[a.size(1)],enable_gqa=e);return r.transpose(1,2)
 return am(K,a,s,i,d,t)
def ay(a,t):t.t('tied_head','heads');o=tk(t.a['tok_emb.weight'],a,'head',0,0,t);return 3e1*e.tanh(o/3e1)
def ab(h):a=tuple(range(9));return a[:len(a)//2],a[len(a)//2:]
def F(tensor,generator,ledger):a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator);ledger.count('uniform_init','matrices')
def av(a):s=io.BytesIO();d={c.intern(t):{c.intern(r):g for(r,g)in o.items()}for(t,o)in a.items()};e.save(d,s);return s.getvalue()
def ak(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def ax(a,n):l=av(a);n.s('torch_save',f"{len(a)} tensors in {len(l)} bytes");return l
def aj(data):return ak(data)
def aq(data,n):i=zlib.compress(data,9);n.s('zlib',f"{len(data)} -> {len(i)} bytes");return i
def az(data,a):
 s=zlib.decompressobj();o=s.decompress(data,a)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return o
def aA(d):
 try:a=SentencePieceProcessor(d)
 except(OSError,RuntimeError)as o:raise OSError(f"{d}: not a SentencePiece model")from o
 if len(a)>1024:raise ValueError(f"{d} has {len(a)} pieces, wanted at most vocab_size=1024")
 if a.piece_to_id('\u2581')==a.unk_id():raise ValueError(f"{d}: U+2581 is not a piece of its own")
 return a
def aB(a):
 o=[(0,0,1)]*1024
 for t in range(len(a)):
  if not(a.is_control(t)or a.is_unknown(t)or a.is_unused(t)):r=a.id_to_piece(t);s=r.startswith('\u2581');o[t]=1 if a.is_byte(t)else len(r.encode())-3*s,s,0
 return e.tensor(o).T
def aC(a,o,device,n):
 global oq,oj,ow,ox
 if any(t(o).glob('*_bytes_*')):raise ValueError(f"{o}: it has byte side files, build with the plugin that reads them")
 r=aB(aA(a));ox,oj,oq=r.to(device);ow=n
def aD(o,a,t):ow.count('sentencepiece_bytes','targets',a.numel());s=ox[a]+(oj[a]&~oq[o]);return s
def aE(o,h,t,n):
 global ea,oB,oz,eo,oF,oA;ea=tj(o)
 for d in ea:tq(d)
 oz,oA,oF,oB=h,t,1024,n;eo=C(ea[0])
def aF(a):
 global eo;o=[]
 while a>0:
  if not len(eo):ea.append(ea.pop(0));eo=C(ea[0])
  o.append(eo[:a]);eo=eo[a:];a-=len(o[-1])
 return H.concatenate(o)
def aG():a=aF(oA*65537).reshape(oA,-1)[oz];a=e.from_numpy(a.astype(int));oB.count('sequential_loader','batches');return a[:-1].reshape(-1,1024),a[1:].reshape(-1,1024)
def aH(n):global oy;i=[{'params':h,'spec':s}for(s,h,a)in n];oy=e.optim.AdamW(i,betas=(.9,.95),eps=1e-08,fused=True)
def aI(i,n):
 for r in oy.param_groups:r['lr']=r['spec'].lr*i.n;r['weight_decay']=r['spec'].weight_decay*i.B
 oy.step();n.count('adam','steps')
def aJ(progress,scalars,ledger):a=min(progress.step/500,1.);u=(1-a)*.85+a*.95;ledger.s('momentum_warmup',f"momentum {u:.4f} at step {progress.step}");return scalars._replace(momentum=u)
def aK(a,r,e):
 t=a.shape[-2]>a.shape[-1]
 if t:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for g in range(r):o=a@a.mT;s=2.0315*o@o if e else 2.0315*(o@o);a=3.4445*a+(-4.775*o+s)@a
 return a.mT if t else a
def aL(update,steps,scale_first):return aK(update.bfloat16(),steps,scale_first)
def aM(t):
 global N
 if N is None:N=tf(aL)
 return N(t,5,False)
def aN(h,a):0
def aO(h,r,i):0
def aP(h,n):n.s('no_average','last weights')
class MuonBank(o):weight:o;names:o;k:o;full:o;y:o;momentum:o;R:o
def aQ(h,a):
 global ei,oE;oE=tp();ei=[];m=e.bfloat16 if l.type=='cuda'else e.float32
 for(r,c)in sorted(zip(h,a,strict=True),key=lambda pair:-pair[0].numel()):*g,o,D=r.shape;w=-(-len(c)//s);d=(*c,*['']*w*s)[w*f:][:w];p=[(i,o,D)for i in(w*s,w)];n,t=[e.zeros(y,dtype=m,device=l)for y in p];R,u=[e.zeros(y,dtype=e.bfloat16,device=l)for y in p];ei.append(MuonBank(r,c,d,n,t,u,R))
def aR():
 global ob;ob=[]
 for o in ei:d=ey(o.weight).bfloat16();o.full.flatten()[:d.numel()].copy_(d.flatten());ob.append(ev(o.y,o.full))
def aS(i,n):
 a=[]
 for(o,e)in zip(ei,ob,strict=True):
  ex(e);h=s;d=(o.y/h).bfloat16();t=tw(d,o.momentum,i.momentum);t=tg(t,o.k);a.append((o,ek(o.R,t),t))
  if len(a)>1:aT(*a.pop(0),i,n)
 for r in a:aT(*r,i,n)
def aT(o,e,t,i,n):ex(e);r,s=o.weight,.04*i.n;a=o.R.flatten()[:r.numel()].view_as(r);r.add_(a,alpha=-s*ty(r));n.count('parallel_muon','bank updates');n.count('newton_schulz','matrices',o.R.size(0))
def aU():global ov;ov=d.perf_counter()-M
def aV(n):
 global M
 if e.cuda.is_available():e.cuda.synchronize()
 M=d.perf_counter()-ov;n.s('wall_clock',f"{M:.3f} seconds")
def aW(a):return 1e3*(d.perf_counter()-ov)
def aX(o):
 if o.f>0:a=1200*(o.p/max(o.step,1));return min(max(o.f-o.p,.0)/max(a,1e-09),1.)
 t=o.v-o.step;return t/1200 if 0<t<=1200 else 1.
def aY(progress,scalars,ledger):a=aX(progress);ledger.s('warmdown_iters',f"multiplier {a:.4f} at step {progress.step}");return scalars._replace(n=scalars.n*a)
def aZ(r,s,t):
 if s=='head'or not t.training or'bank_qat'not in t.phases:return r
 t.t('bank_qat','matrices');o,a=eB(r.detach().float());return r+(eA(o,a,r.dtype)-r).detach()
def oe(progress):return progress.n<.15
class ot:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');o,a=eB(tensor.float());return{'codes':o,'step':a}
 def decode(e,name,parts,kind):return eC(parts,kind)
class oa:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');o,a=oo(tensor.float());return{'codes':o,'step':a}
 def decode(e,name,parts,kind):return eC(parts,kind)
def oo(r):
 if r.ndim==2:o=e.quantile(r.abs(),.9999984,1);a=(o/127).clamp_min(1/127);t=a.half()
 else:o=e.quantile(r.abs().flatten(),.9999984);t=a=o/127 if o>0 else o+1
 o=i(o);return ez(r.clamp(-o,o),a,127),t
def oi():return Param('qo_bank',(18,512,512),'matrix','attn',(F,el),'banks',i=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(18,256,512),'matrix','attn',(F,F),'banks',i=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(9,1024,512),'matrix','mlp',(F,),'banks',i=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(9,512,1024),'matrix','mlp',(el,),'banks',i=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(4,512),'scalar','control',n,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',ed,'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',n,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',n,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',tX,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',ec,'tied_head','activation',z='head')
def on():global Z;Z='swa';eq(ag())
K=None
L={}
M=.0
oh=Group('embed',.05),Group('scalar',.04)
N=None
m=Phase('bank_qat',oe,False,'bank_qat'),
ol='adam','additive_skips','bank_qat','banks','chunked_eval','cross_entropy','int6','int8','momentum_warmup','newton_schulz','no_average','parallel_muon','partial_rope','pko','qk_gain','relu2','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','swa','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
O={'attn':ot(),'control':oa(False),'embed':oa(True),'mlp':ot()}
if __name__=='__main__':tI(oi())